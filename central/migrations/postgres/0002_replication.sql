-- In which bucket of the Merkle tree an entry lies; -1 until that was filled in for what was there before.
ALTER TABLE entries ADD COLUMN bucket BIGINT NOT NULL DEFAULT -1;
CREATE INDEX entries_by_bucket ON entries (site, bucket);

-- Sums of the buckets that hold anything; see clearance::merkle.
CREATE TABLE buckets (
  site TEXT NOT NULL,
  bucket BIGINT NOT NULL,
  sum TEXT NOT NULL,
  PRIMARY KEY (site, bucket)
);

-- Histories that were begun after the first, and why.
CREATE TABLE epochs (
  epoch BIGINT PRIMARY KEY,
  began BIGINT NOT NULL,
  who TEXT NOT NULL,
  why TEXT NOT NULL
);

-- Rotations of the signing key, each sealed with the key before.
CREATE TABLE rotations (
  serial BIGINT PRIMARY KEY,
  retired TEXT NOT NULL,
  next TEXT NOT NULL,
  sealed BYTEA NOT NULL
);

-- Officers' acceptances, published until the edge has followed.
CREATE TABLE accepted_forks (
  site TEXT NOT NULL,
  edge TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  sealed BYTEA NOT NULL,
  followed BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (site, edge, epoch)
);

-- Marks that lanes have read for certain, to find one vehicle at two lanes.
CREATE TABLE passage_marks (
  site TEXT NOT NULL,
  mark TEXT NOT NULL,
  at BIGINT NOT NULL,
  passage TEXT NOT NULL,
  lane TEXT NOT NULL,
  PRIMARY KEY (site, mark, at, passage)
);

-- Passages in which the same mark was at another lane within a short time; each pair both ways.
CREATE TABLE twins (
  passage TEXT NOT NULL,
  other TEXT NOT NULL,
  mark TEXT NOT NULL,
  lane TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (passage, other)
);
