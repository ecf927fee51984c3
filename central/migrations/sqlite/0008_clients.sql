-- The trade's systems: their certificates, the codes with which they enrol, and what they sign. Times are milliseconds since
-- 1970, UTC.

-- Rows are never deleted: what a key has signed must be verifiable as long as it is kept.
CREATE TABLE clients (
  -- SHA-256 of the certificate, hexadecimal
  fingerprint TEXT PRIMARY KEY,
  serial TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  trader TEXT NOT NULL REFERENCES traders (id),
  -- 'ES256' or 'EdDSA'
  kind TEXT NOT NULL,
  public_key BLOB NOT NULL,
  -- PEM
  certificate TEXT NOT NULL,
  issued_at INTEGER NOT NULL,
  valid_until INTEGER NOT NULL,
  revoked_at INTEGER,
  revoked_by TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX clients_of_trader ON clients (trader, issued_at);
CREATE INDEX clients_by_name ON clients (name);

-- Codes that are good once.
CREATE TABLE enrolments (
  -- SHA-256 of the code
  code TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  trader TEXT NOT NULL REFERENCES traders (id),
  expires_at INTEGER NOT NULL,
  used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX enrolments_by_name ON enrolments (name);

-- The signed payload (JWS) that this version came in, if it was signed.
ALTER TABLE movements ADD COLUMN evidence TEXT;
ALTER TABLE movement_versions ADD COLUMN evidence TEXT;
