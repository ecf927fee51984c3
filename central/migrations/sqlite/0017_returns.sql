-- What inspections gave, by what made somebody look: counted as they are reported, so that figures cost a few rows.
CREATE TABLE source_returns (
  -- Hours since 1970
  hour INTEGER NOT NULL,
  -- 'rule', 'list', 'model', 'random', 'unassessed'
  kind TEXT NOT NULL,
  -- Of the rule or the list; the digest of the model; else empty
  name TEXT NOT NULL,
  -- Of the rule; else 0
  version INTEGER NOT NULL,
  -- 1: a list of which those who select may not know
  withheld INTEGER NOT NULL,
  inspected INTEGER NOT NULL,
  found INTEGER NOT NULL,
  -- From the lane's signal to the bay's report
  minutes INTEGER NOT NULL,
  PRIMARY KEY (hour, kind, name, version, withheld)
) STRICT;
