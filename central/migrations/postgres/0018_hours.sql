-- What an hour at a control point has of each colour is counted in every assessment, while nobody else writes: from the index alone.
DROP INDEX assessments_by_slot;
CREATE INDEX assessments_by_slot ON assessments (control_point, day, hour, colour, drawn, movement) WHERE latest = 1;
