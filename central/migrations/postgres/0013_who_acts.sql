-- Who did what the feed tells: their company and name. Both are empty for customs, a lane and central itself, and for what was
-- told before this was noted. People are told of what others did.
ALTER TABLE events ADD COLUMN by_trader TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN by_who TEXT NOT NULL DEFAULT '';
-- Whether somebody is told of what their own company does, too.
ALTER TABLE outlets ADD COLUMN own BIGINT NOT NULL DEFAULT 0;

-- Sign-ins that failed, so that guessing gets slower at whichever central it happens. Times are milliseconds since 1970, UTC.
CREATE TABLE failed_sign_ins (
  -- SHA-256 of what was tried: people type passwords where names belong.
  tried TEXT PRIMARY KEY,
  failures BIGINT NOT NULL,
  last_at BIGINT NOT NULL
);
CREATE INDEX failed_sign_ins_by_age ON failed_sign_ins (last_at);
