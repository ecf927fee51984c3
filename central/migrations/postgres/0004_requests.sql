-- Many consignments handed in together: accepted at once, lodged in parts, each acknowledged apart.
CREATE TABLE requests (
  id TEXT PRIMARY KEY,
  trader TEXT NOT NULL,
  who TEXT NOT NULL,
  sandbox BIGINT NOT NULL,
  -- The signed payload (JWS) that it came in, if it was signed.
  evidence TEXT,
  accepted_at BIGINT NOT NULL,
  items BIGINT NOT NULL
);
CREATE INDEX requests_by_age ON requests (accepted_at);

CREATE TABLE request_parts (
  request TEXT NOT NULL REFERENCES requests (id),
  -- Place of its first item in the request, from 0
  first BIGINT NOT NULL,
  -- JSON: items as they were read; emptied once they are lodged
  items TEXT NOT NULL,
  -- JSON: what came of each; none: not lodged yet
  outcomes TEXT,
  PRIMARY KEY (request, first)
);
CREATE INDEX request_parts_open ON request_parts (request, first) WHERE outcomes IS NULL;
CREATE INDEX replies_by_age ON replies (at);
