-- Codes that screening gave were counted with those of other systems.
UPDATE decisions SET basis = 'engine' WHERE basis = 'system' AND by_whom = 'screening';
