-- Times are milliseconds since 1970, UTC. Enumerations and records are JSON as clearance spells them.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE consignments (
  ccrn TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  lodged_by TEXT NOT NULL,
  lodged_at INTEGER NOT NULL,
  movement TEXT REFERENCES movements (id)
) STRICT;

CREATE TABLE movements (
  id TEXT PRIMARY KEY,
  site TEXT NOT NULL,
  mark TEXT NOT NULL,
  mainland_mark TEXT,
  expected_arrival INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  action TEXT,
  action_reason TEXT,
  action_by TEXT,
  action_at INTEGER
) STRICT;
CREATE INDEX movements_by_mark ON movements (site, mark);

-- The site's log: dense revisions, given out in the transaction that commits the change.
CREATE TABLE log (
  site TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  hash TEXT NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (site, epoch, revision)
) STRICT, WITHOUT ROWID;

-- What the log adds up to.
CREATE TABLE entries (
  site TEXT NOT NULL,
  mark TEXT NOT NULL,
  entry TEXT NOT NULL,
  PRIMARY KEY (site, mark)
) STRICT, WITHOUT ROWID;

CREATE TABLE passages (
  id TEXT PRIMARY KEY,
  site TEXT NOT NULL,
  lane TEXT NOT NULL,
  began INTEGER NOT NULL,
  decision TEXT,
  signal TEXT,
  frame_to_signal_us INTEGER,
  left_at INTEGER,
  -- 1 while it waits for an officer
  waiting INTEGER NOT NULL DEFAULT 0,
  changed INTEGER NOT NULL
) STRICT;
CREATE INDEX passages_waiting ON passages (waiting, began);
CREATE INDEX passages_changed ON passages (changed);

CREATE TABLE passage_events (
  passage TEXT NOT NULL,
  step INTEGER NOT NULL,
  at INTEGER NOT NULL,
  what TEXT NOT NULL,
  PRIMARY KEY (passage, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE evidence (
  digest TEXT PRIMARY KEY,
  passage TEXT NOT NULL,
  kind TEXT NOT NULL,
  jpeg BLOB NOT NULL
) STRICT;

CREATE TABLE orders (
  nonce TEXT PRIMARY KEY,
  passage TEXT NOT NULL,
  site TEXT NOT NULL,
  lane TEXT NOT NULL,
  officer TEXT NOT NULL,
  verdict TEXT NOT NULL,
  reason TEXT NOT NULL,
  issued INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  -- 'sent', 'obeyed' or why it was refused
  state TEXT NOT NULL
) STRICT;
CREATE INDEX orders_of_passage ON orders (passage);

CREATE TABLE corrections (
  passage TEXT NOT NULL,
  plate INTEGER NOT NULL,
  mark TEXT,
  officer TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (passage, plate, at)
) STRICT;

CREATE TABLE officers (
  name TEXT PRIMARY KEY,
  role TEXT NOT NULL,
  password TEXT NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE sessions (
  token TEXT PRIMARY KEY,
  officer TEXT NOT NULL REFERENCES officers (name),
  csrf TEXT NOT NULL,
  began INTEGER NOT NULL,
  seen INTEGER NOT NULL
) STRICT;

CREATE TABLE tokens (
  hash TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL
) STRICT;

CREATE TABLE replies (
  client TEXT NOT NULL,
  key TEXT NOT NULL,
  request TEXT NOT NULL,
  status INTEGER NOT NULL,
  body TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (client, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  subject TEXT NOT NULL
) STRICT;
