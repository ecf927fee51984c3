-- The selectors' workbench and the bays. Times are milliseconds since 1970, UTC.

-- Every code that was given or asked for.
CREATE TABLE decisions (
  id TEXT PRIMARY KEY,
  movement TEXT NOT NULL,
  -- What was looked at: the movement's version, and the versions of all its consignments together
  version INTEGER NOT NULL,
  cargo INTEGER NOT NULL,
  code TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- What led to it; see `workbench::Basis`
  basis TEXT NOT NULL,
  -- For the inspecting officer
  instructions TEXT NOT NULL DEFAULT '',
  by_whom TEXT NOT NULL,
  at INTEGER NOT NULL,
  -- 'given', 'waiting' for a second pair of eyes, 'approved', 'refused', 'lapsed'
  state TEXT NOT NULL,
  -- The stricter code that holds while it waits
  held TEXT,
  second_by TEXT,
  second_at INTEGER,
  second_note TEXT
) STRICT;
CREATE INDEX decisions_of_movement ON decisions (movement, at);
CREATE INDEX decisions_by_time ON decisions (at);
CREATE INDEX decisions_waiting ON decisions (at) WHERE state = 'waiting';

-- Who works on a movement, so that two do not decide the same.
CREATE TABLE claims (
  movement TEXT PRIMARY KEY,
  officer TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_of_officer ON claims (officer);

-- From one shift to the next.
CREATE TABLE handovers (
  id TEXT PRIMARY KEY,
  from_whom TEXT NOT NULL,
  to_whom TEXT NOT NULL,
  note TEXT NOT NULL,
  -- Movements that go with it, a JSON array
  movements TEXT NOT NULL,
  at INTEGER NOT NULL,
  taken_at INTEGER
) STRICT;
CREATE INDEX handovers_by_time ON handovers (at);
CREATE INDEX handovers_open ON handovers (to_whom) WHERE taken_at IS NULL;

-- What inspections gave. `id` is the form's own, so that a form that is sent again changes nothing.
CREATE TABLE inspections (
  id TEXT PRIMARY KEY,
  movement TEXT NOT NULL,
  -- 'found', 'nothing_found'
  result TEXT NOT NULL,
  -- What was done and what was found, JSON arrays
  checklist TEXT NOT NULL,
  categories TEXT NOT NULL,
  quantity TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  by_whom TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX inspections_of_movement ON inspections (movement, at);
CREATE INDEX inspections_by_time ON inspections (at);

CREATE TABLE inspection_photographs (
  movement TEXT NOT NULL,
  -- SHA-256 of the file as it was taken, and of the picture as it is kept
  taken TEXT NOT NULL,
  digest TEXT NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  jpeg BLOB NOT NULL,
  by_whom TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (movement, taken)
) STRICT;
CREATE INDEX inspection_photographs_by_digest ON inspection_photographs (digest);

-- How many vehicles the bays of a control point inspect in an hour, as its supervisor says.
CREATE TABLE bay_capacity (
  site TEXT PRIMARY KEY,
  per_hour INTEGER NOT NULL,
  set_by TEXT NOT NULL,
  set_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The consignor's name, folded as the consignee's is; '' for those lodged before.
ALTER TABLE consignments ADD COLUMN consignor TEXT NOT NULL DEFAULT '';
-- Parties and vehicles over all companies, cases that were inspected, passages of a movement.
CREATE INDEX consignments_of_consignee ON consignments (consignee, lodged_at);
CREATE INDEX consignments_of_consignor ON consignments (consignor, lodged_at);
CREATE INDEX movements_of_mark ON movements (mark, expected_arrival);
CREATE INDEX movements_inspected ON movements (inspected_at) WHERE inspected_at IS NOT NULL;
CREATE INDEX movements_signalled ON movements (signalled_at) WHERE signalled_at IS NOT NULL;
CREATE INDEX passages_of_movement ON passages (movement) WHERE movement IS NOT NULL;
