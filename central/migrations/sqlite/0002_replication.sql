-- In which bucket of the Merkle tree an entry lies; -1 until that was filled in for what was there before.
ALTER TABLE entries ADD COLUMN bucket INTEGER NOT NULL DEFAULT -1;
CREATE INDEX entries_by_bucket ON entries (site, bucket);

-- Sums of the buckets that hold anything; see clearance::merkle.
CREATE TABLE buckets (
  site TEXT NOT NULL,
  bucket INTEGER NOT NULL,
  sum TEXT NOT NULL,
  PRIMARY KEY (site, bucket)
) STRICT, WITHOUT ROWID;

-- Histories that were begun after the first, and why.
CREATE TABLE epochs (
  epoch INTEGER PRIMARY KEY,
  began INTEGER NOT NULL,
  who TEXT NOT NULL,
  why TEXT NOT NULL
) STRICT;

-- Rotations of the signing key, each sealed with the key before.
CREATE TABLE rotations (
  serial INTEGER PRIMARY KEY,
  retired TEXT NOT NULL,
  next TEXT NOT NULL,
  sealed BLOB NOT NULL
) STRICT;

-- Officers' acceptances, published until the edge has followed.
CREATE TABLE accepted_forks (
  site TEXT NOT NULL,
  edge TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  followed INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (site, edge, epoch)
) STRICT, WITHOUT ROWID;

-- Marks that lanes have read for certain, to find one vehicle at two lanes.
CREATE TABLE passage_marks (
  site TEXT NOT NULL,
  mark TEXT NOT NULL,
  at INTEGER NOT NULL,
  passage TEXT NOT NULL,
  lane TEXT NOT NULL,
  PRIMARY KEY (site, mark, at, passage)
) STRICT, WITHOUT ROWID;

-- Passages in which the same mark was at another lane within a short time; each pair both ways.
CREATE TABLE twins (
  passage TEXT NOT NULL,
  other TEXT NOT NULL,
  mark TEXT NOT NULL,
  lane TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (passage, other)
) STRICT, WITHOUT ROWID;
