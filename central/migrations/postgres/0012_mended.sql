-- Whose turn it is among companies whose requests are not carried out yet: the smallest comes next.
CREATE TABLE request_turns (
  trader TEXT PRIMARY KEY,
  turn BIGINT NOT NULL
);
CREATE INDEX request_turns_in_order ON request_turns (turn);

-- Why a request was set aside, if it was: what is open of it is not tried any more.
ALTER TABLE requests ADD COLUMN failed TEXT;
ALTER TABLE request_parts ADD COLUMN trader TEXT NOT NULL DEFAULT '';
-- How often it was tried in vain, and when it may be tried again.
ALTER TABLE request_parts ADD COLUMN tries BIGINT NOT NULL DEFAULT 0;
ALTER TABLE request_parts ADD COLUMN not_before BIGINT NOT NULL DEFAULT 0;
UPDATE request_parts SET trader = (SELECT r.trader FROM requests r WHERE r.id = request_parts.request);
INSERT INTO request_turns (trader, turn) SELECT DISTINCT trader, 0 FROM request_parts WHERE outcomes IS NULL;
DROP INDEX request_parts_open;
CREATE INDEX request_parts_open ON request_parts (trader, request, first) WHERE outcomes IS NULL;

-- Lists of one standing. The statements say these expressions word for word (storage/trade/standing.rs).
CREATE INDEX consignments_by_standing ON consignments (trader,
  (CASE WHEN cancelled = 1 THEN 'cancelled' WHEN movement IS NULL THEN 'lodged' ELSE 'bundled' END), lodged_at, ccrn);
CREATE INDEX movements_by_standing ON movements (trader,
  (CASE WHEN cancelled_at IS NOT NULL THEN 'cancelled' WHEN departed_at IS NOT NULL THEN 'departed'
   WHEN inspected IS NOT NULL THEN 'inspected' WHEN signalled = 'released' THEN 'released' WHEN signalled IS NOT NULL THEN 'directed'
   WHEN arrived_at IS NOT NULL THEN 'arrived' WHEN action IS NOT NULL THEN 'assessed' ELSE 'bundled' END), expected_arrival, id);
-- Pictures roll off; a passage's id begins with its time.
CREATE INDEX evidence_of_passage ON evidence (passage);
-- With the id, it has the order of the list too: else SQLite goes through all movements of the company.
DROP INDEX movements_of_trader_by_mark;
CREATE INDEX movements_of_trader_by_mark ON movements (trader, mark, expected_arrival, id);
