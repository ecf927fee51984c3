-- What inspections gave, by what made somebody look: counted as they are reported, so that figures cost a few rows.
CREATE TABLE source_returns (
  -- Hours since 1970
  hour BIGINT NOT NULL,
  -- 'rule', 'list', 'model', 'random', 'unassessed'
  kind TEXT NOT NULL,
  -- Of the rule or the list; the digest of the model; else empty
  name TEXT NOT NULL,
  -- Of the rule; else 0
  version BIGINT NOT NULL,
  -- 1: a list of which those who select may not know
  withheld BIGINT NOT NULL,
  inspected BIGINT NOT NULL,
  found BIGINT NOT NULL,
  -- From the lane's signal to the bay's report
  minutes BIGINT NOT NULL,
  PRIMARY KEY (hour, kind, name, version, withheld)
);
