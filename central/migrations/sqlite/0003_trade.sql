-- Declarations: who lodges and who carries, versions, seals, notices, news. Times are milliseconds since 1970, UTC.
ALTER TABLE audit ADD COLUMN hash TEXT NOT NULL DEFAULT '';

-- A company of the trade: what it lodges and carries is its own. Nothing of a sandbox ever reaches a lane.
CREATE TABLE traders (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  sandbox INTEGER NOT NULL DEFAULT 0,
  disabled INTEGER NOT NULL DEFAULT 0,
  -- Where news goes; empty: nowhere.
  email TEXT NOT NULL DEFAULT '',
  phone TEXT NOT NULL DEFAULT '',
  language TEXT NOT NULL DEFAULT 'en',
  created_at INTEGER NOT NULL
) STRICT;
INSERT INTO traders (id, name, created_at) VALUES ('', 'before there were traders', 0);

-- A client's token acts for a trader; officers' systems for none.
ALTER TABLE tokens ADD COLUMN trader TEXT NOT NULL DEFAULT '';

ALTER TABLE consignments ADD COLUMN trader TEXT NOT NULL DEFAULT '';
ALTER TABLE consignments ADD COLUMN sandbox INTEGER NOT NULL DEFAULT 0;
ALTER TABLE consignments ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
-- 1: taken back by the shipper
ALTER TABLE consignments ADD COLUMN cancelled INTEGER NOT NULL DEFAULT 0;
-- The consignee's name, folded for searching by its beginning.
ALTER TABLE consignments ADD COLUMN consignee TEXT NOT NULL DEFAULT '';
ALTER TABLE consignments ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
-- The signed payload (JWS) that this version came in, if it was signed.
ALTER TABLE consignments ADD COLUMN evidence TEXT;
CREATE INDEX consignments_of_trader ON consignments (trader, lodged_at, ccrn);
CREATE INDEX consignments_by_consignee ON consignments (trader, consignee, ccrn);
CREATE INDEX consignments_of_movement ON consignments (movement) WHERE movement IS NOT NULL;
CREATE INDEX consignments_by_age ON consignments (lodged_at);

-- What a consignment said before it was amended.
CREATE TABLE consignment_versions (
  ccrn TEXT NOT NULL,
  version INTEGER NOT NULL,
  body TEXT NOT NULL,
  evidence TEXT,
  -- Who replaced it, and when
  replaced_by TEXT NOT NULL,
  replaced_at INTEGER NOT NULL,
  PRIMARY KEY (ccrn, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE vehicles (
  trader TEXT NOT NULL REFERENCES traders (id),
  mark TEXT NOT NULL,
  mainland_mark TEXT,
  -- Registration marks of trailers, a JSON array
  trailers TEXT NOT NULL DEFAULT '[]',
  added_at INTEGER NOT NULL,
  PRIMARY KEY (trader, mark)
) STRICT, WITHOUT ROWID;

-- site = '': whichever control point the vehicle comes to.
ALTER TABLE movements ADD COLUMN trader TEXT NOT NULL DEFAULT '';
ALTER TABLE movements ADD COLUMN sandbox INTEGER NOT NULL DEFAULT 0;
ALTER TABLE movements ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE movements ADD COLUMN trailers TEXT NOT NULL DEFAULT '[]';
-- What it carries beside consignments: '' (nothing beside), 'empty', or an exemption's code
ALTER TABLE movements ADD COLUMN load TEXT NOT NULL DEFAULT '';
ALTER TABLE movements ADD COLUMN direction TEXT NOT NULL DEFAULT 'inbound';
-- When the last consignment or vehicle was bundled: from here the cut-off runs.
ALTER TABLE movements ADD COLUMN bundled_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE movements ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
-- When the action code may be used.
ALTER TABLE movements ADD COLUMN valid_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE movements ADD COLUMN valid_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE movements ADD COLUMN arrived_at INTEGER;
-- What the lane or an officer signalled: 'released' or an action code
ALTER TABLE movements ADD COLUMN signalled TEXT;
ALTER TABLE movements ADD COLUMN signalled_at INTEGER;
-- 'found', 'nothing_found'
ALTER TABLE movements ADD COLUMN inspected TEXT;
ALTER TABLE movements ADD COLUMN inspected_at INTEGER;
ALTER TABLE movements ADD COLUMN departed_at INTEGER;
ALTER TABLE movements ADD COLUMN cancelled_at INTEGER;
UPDATE movements SET bundled_at = created_at, changed_at = created_at,
  valid_from = expected_arrival - 1209600000, valid_until = expected_arrival + 1209600000;
CREATE INDEX movements_of_trader ON movements (trader, expected_arrival, id);
CREATE INDEX movements_of_trader_by_mark ON movements (trader, mark, expected_arrival);
-- Codes that begin to serve.
CREATE INDEX movements_by_validity ON movements (valid_from) WHERE action IS NOT NULL AND signalled IS NULL;
CREATE INDEX movements_by_arrival ON movements (expected_arrival);
-- Bundled, and nobody has given a code yet.
CREATE INDEX movements_to_assess ON movements (expected_arrival) WHERE action IS NULL AND cancelled_at IS NULL AND arrived_at IS NULL;

CREATE TABLE movement_versions (
  id TEXT NOT NULL,
  version INTEGER NOT NULL,
  -- Vehicle, place, time and consignments as they were, JSON
  body TEXT NOT NULL,
  replaced_by TEXT NOT NULL,
  replaced_at INTEGER NOT NULL,
  PRIMARY KEY (id, version)
) STRICT, WITHOUT ROWID;

-- Which movement a passage was of, as far as the lane or an officer has said.
ALTER TABLE passages ADD COLUMN movement TEXT;
CREATE INDEX entries_by_mark ON entries (mark);

-- Electronic locks of consignments in transhipment.
CREATE TABLE seals (
  ccrn TEXT NOT NULL,
  seal TEXT NOT NULL,
  -- Control point where it was put on after an inspection; '' if none was inspected there
  inspected_at_site TEXT NOT NULL DEFAULT '',
  fixed_at INTEGER NOT NULL,
  -- 'intact', 'broken', 'missing'
  state TEXT NOT NULL,
  reported_by TEXT NOT NULL,
  reported_at INTEGER NOT NULL,
  PRIMARY KEY (ccrn, seal)
) STRICT, WITHOUT ROWID;

-- Contingency notices: while one is in force, what is missing is waived.
CREATE TABLE notices (
  reference TEXT PRIMARY KEY,
  -- '' for every control point
  site TEXT NOT NULL DEFAULT '',
  begins INTEGER NOT NULL,
  ends INTEGER NOT NULL,
  reason TEXT NOT NULL,
  published_by TEXT NOT NULL,
  published_at INTEGER NOT NULL,
  withdrawn_at INTEGER
) STRICT;

-- What happened to a trader's consignments and movements, for feeds, webhooks and messages.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  trader TEXT NOT NULL,
  at INTEGER NOT NULL,
  -- CCRN or movement
  subject TEXT NOT NULL,
  what TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_trader ON events (trader, seq);
CREATE INDEX events_of_subject ON events (subject, seq);
CREATE INDEX events_by_age ON events (at);
