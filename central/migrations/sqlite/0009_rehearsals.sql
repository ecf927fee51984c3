-- Crossings of sandboxes that are not over: they are taken through what customs and the lane would do.
CREATE INDEX movements_rehearsed ON movements (expected_arrival) WHERE sandbox = 1 AND departed_at IS NULL AND cancelled_at IS NULL;
