"""Trains, measures and exports the plate detector and the plate reader of a model bundle."""
