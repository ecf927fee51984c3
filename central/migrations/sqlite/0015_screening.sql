-- What screening decides by: each version of lists, rules, thresholds, shares, quotas and capacities together.
CREATE TABLE screening_policies (
  version INTEGER PRIMARY KEY,
  -- SHA-256 of the canonical bytes, hexadecimal
  digest TEXT NOT NULL,
  -- JSON
  body TEXT NOT NULL,
  put_by TEXT NOT NULL,
  put_at INTEGER NOT NULL,
  -- The second pair of eyes; NULL until then, and no policy is in force before
  approved_by TEXT,
  approved_at INTEGER
) STRICT;

-- Watch lists by what they hold: a policy names them by digest.
CREATE TABLE screening_lists (
  digest TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  -- What it is, JSON; and its entries, CSV
  header TEXT NOT NULL,
  body BLOB NOT NULL,
  put_by TEXT NOT NULL,
  put_at INTEGER NOT NULL
) STRICT;

-- The keys of the random draw, one for each day: committed to before the day, told after it.
CREATE TABLE screening_draws (
  day TEXT PRIMARY KEY,
  -- SHA-256 of the key, hexadecimal: told beforehand
  commitment TEXT NOT NULL,
  -- Sealed under secrets_file
  key BLOB NOT NULL,
  made_at INTEGER NOT NULL
) STRICT;

-- Every assessment ever made, with all that it rests on, so that it can be made again.
CREATE TABLE assessments (
  movement TEXT NOT NULL,
  number INTEGER NOT NULL,
  movement_version INTEGER NOT NULL,
  at INTEGER NOT NULL,
  policy INTEGER NOT NULL,
  control_point TEXT NOT NULL,
  day TEXT NOT NULL,
  hour INTEGER NOT NULL,
  measure TEXT NOT NULL,
  colour TEXT NOT NULL,
  unassessed INTEGER NOT NULL,
  drawn INTEGER NOT NULL,
  -- JSON: facts, score, draw, counts of the hour, and what was decided
  body TEXT NOT NULL,
  -- The latest of its movement counts; it is 0 in those before it.
  latest INTEGER NOT NULL,
  PRIMARY KEY (movement, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX assessments_by_slot ON assessments (control_point, day, hour) WHERE latest = 1;
CREATE INDEX assessments_by_age ON assessments (at);

-- What is known of parties and vehicles from before: 'party' by its folded name, 'vehicle' by its mark.
CREATE TABLE acquaintances (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  passages INTEGER NOT NULL DEFAULT 0,
  inspections INTEGER NOT NULL DEFAULT 0,
  finds INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX acquaintances_by_age ON acquaintances (last_seen);

-- By which policy it was last assessed as it is now; 0: it is to be assessed. Not before `screen_after`.
ALTER TABLE movements ADD COLUMN screened INTEGER NOT NULL DEFAULT 0;
ALTER TABLE movements ADD COLUMN screen_after INTEGER NOT NULL DEFAULT 0;
CREATE INDEX movements_to_screen ON movements (screened, expected_arrival)
  WHERE signalled IS NULL AND cancelled_at IS NULL AND sandbox = 0;
