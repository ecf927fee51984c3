"""Trains, measures and exports the model that scores declarations."""
