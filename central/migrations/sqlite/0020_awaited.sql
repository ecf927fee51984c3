-- The selectors' queue goes through what still comes, by what has a code and who gave it: from the index alone.
CREATE INDEX movements_awaited ON movements (expected_arrival, id, site, action, action_by, arrived_at)
  WHERE signalled IS NULL AND cancelled_at IS NULL AND departed_at IS NULL AND sandbox = 0;
