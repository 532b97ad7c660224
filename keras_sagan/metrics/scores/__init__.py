"""Scores, as pure functions on arrays of features, probabilities and labels."""
