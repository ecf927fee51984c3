-- Who is told: a company's contact, its webhooks, and how far each address has been told of the feed. Times are milliseconds since
-- 1970, UTC.

-- Where news goes stands in the contact now, with as many addresses as a company wants. Nothing has ever written these.
ALTER TABLE traders DROP COLUMN email;
ALTER TABLE traders DROP COLUMN phone;
ALTER TABLE traders DROP COLUMN language;

CREATE TABLE contacts (
  trader TEXT PRIMARY KEY REFERENCES traders (id),
  version BIGINT NOT NULL,
  -- JSON
  body TEXT NOT NULL,
  changed_at BIGINT NOT NULL
);

-- An address that is told: a webhook, an e-mail address, a number.
CREATE TABLE outlets (
  id TEXT PRIMARY KEY,
  trader TEXT NOT NULL REFERENCES traders (id),
  -- 'webhook', 'email', 'sms'
  channel TEXT NOT NULL,
  address TEXT NOT NULL,
  -- Of what it is told, a JSON array
  topics TEXT NOT NULL,
  -- Secrets of a webhook, sealed; the one of before signs for a while, too.
  secret BYTEA,
  previous_secret BYTEA,
  previous_until BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  -- Up to where in the feed everything was tried at least once.
  reached BIGINT NOT NULL,
  -- Failures in a row
  failures BIGINT NOT NULL DEFAULT 0,
  failing_since BIGINT,
  last_error TEXT,
  delivered_at BIGINT,
  -- Nothing is sent before.
  resume_at BIGINT NOT NULL DEFAULT 0,
  paused_at BIGINT,
  -- Which central sends now, and until when nobody else does.
  leased_by TEXT NOT NULL DEFAULT '',
  leased_until BIGINT NOT NULL DEFAULT 0,
  served_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX outlets_by_address ON outlets (trader, channel, address);

-- What came of each piece of news that was sent to an address.
CREATE TABLE deliveries (
  outlet TEXT NOT NULL,
  -- Its place in the feed
  seq BIGINT NOT NULL,
  -- 'delivered', 'retrying', 'failed'
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  -- What was answered last
  status BIGINT,
  error TEXT,
  first_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  next_at BIGINT,
  PRIMARY KEY (outlet, seq)
);
CREATE INDEX deliveries_due ON deliveries (outlet, next_at) WHERE state = 'retrying';
CREATE INDEX deliveries_by_age ON deliveries (changed_at);
CREATE INDEX deliveries_waiting ON deliveries (seq) WHERE state = 'retrying';
