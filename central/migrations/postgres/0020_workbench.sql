-- The selectors' queue goes through what still comes, by what has a code and who gave it: from the index alone.
CREATE INDEX movements_awaited ON movements (expected_arrival, id, site, action, action_by, arrived_at)
  WHERE signalled IS NULL AND cancelled_at IS NULL AND departed_at IS NULL AND sandbox = 0;
-- Crossings that were let go and are audited afterwards: few among all. With what it asks for, no assessment has to be read.
CREATE INDEX assessments_to_audit ON assessments (movement, measure, latest) WHERE latest = 1 AND measure = 'audit';
