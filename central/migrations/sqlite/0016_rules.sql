-- Rules of screening, each version with its examples, its way from a draft into force, and what it would have done.
CREATE TABLE screening_rules (
  rule TEXT NOT NULL,
  version INTEGER NOT NULL,
  -- SHA-256 of the canonical bytes of the draft, hexadecimal
  digest TEXT NOT NULL,
  -- The draft: rule, purpose, examples; JSON
  body TEXT NOT NULL,
  -- Who did what with it; JSON. And how many steps that are: whoever takes the next one says after how many.
  dossier TEXT NOT NULL,
  steps INTEGER NOT NULL,
  -- The latest simulation, JSON; NULL until there is one
  report TEXT,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (rule, version)
) STRICT, WITHOUT ROWID;

-- Movements of which a rule is a reason now, since when.
CREATE TABLE rule_hits (
  rule TEXT NOT NULL,
  version INTEGER NOT NULL,
  movement TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (rule, version, movement)
) STRICT, WITHOUT ROWID;
CREATE INDEX rule_hits_by_time ON rule_hits (rule, version, at);
CREATE INDEX rule_hits_of_movement ON rule_hits (movement);
