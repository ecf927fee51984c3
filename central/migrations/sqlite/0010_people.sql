-- People of the trade who use the portal. Times are milliseconds since 1970, UTC.
CREATE TABLE people (
  login TEXT PRIMARY KEY,
  trader TEXT NOT NULL REFERENCES traders (id),
  -- UUID that passkeys carry: it tells nobody who somebody is.
  handle TEXT NOT NULL UNIQUE,
  -- Argon2 hash; empty until the invitation is taken: nothing fits it.
  password TEXT NOT NULL DEFAULT '',
  -- Secret of the one-time passwords, sealed; none until the invitation is taken.
  totp BLOB,
  -- Step of the last one-time password that was taken: none is taken twice, nor an earlier one.
  totp_step INTEGER NOT NULL DEFAULT 0,
  disabled INTEGER NOT NULL DEFAULT 0,
  added_at INTEGER NOT NULL
) STRICT;
CREATE INDEX people_of_trader ON people (trader, login);

-- The latest invitation of a person; taken once.
CREATE TABLE person_invitations (
  login TEXT PRIMARY KEY REFERENCES people (login),
  -- SHA-256 of the link's token
  token TEXT NOT NULL UNIQUE,
  -- Secret that the page offers to the authenticator app, sealed.
  totp BLOB NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE person_sessions (
  -- SHA-256 of the cookie
  token TEXT PRIMARY KEY,
  login TEXT NOT NULL REFERENCES people (login),
  csrf TEXT NOT NULL,
  began INTEGER NOT NULL,
  seen INTEGER NOT NULL
) STRICT;
CREATE INDEX person_sessions_of_login ON person_sessions (login);

CREATE TABLE passkeys (
  -- The authenticator's name of it, in hexadecimal digits
  id TEXT PRIMARY KEY,
  login TEXT NOT NULL REFERENCES people (login),
  -- What the person calls it
  name TEXT NOT NULL,
  -- Public key and counter, JSON
  key TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  used_at INTEGER
) STRICT;
CREATE INDEX passkeys_of_login ON passkeys (login);

-- A registration or sign-in with a passkey that has begun; ended once, by any central.
CREATE TABLE ceremonies (
  id TEXT PRIMARY KEY,
  login TEXT NOT NULL REFERENCES people (login),
  -- JSON
  state TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;

-- Forms that somebody has begun; one of each kind and subject.
CREATE TABLE drafts (
  login TEXT NOT NULL REFERENCES people (login),
  -- Such as `consignment`, or `consignment/CCRN` for an amendment.
  form TEXT NOT NULL,
  -- What was filled in, JSON
  body TEXT NOT NULL,
  saved_at INTEGER NOT NULL,
  PRIMARY KEY (login, form)
) STRICT;
