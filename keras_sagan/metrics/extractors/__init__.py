"""Feature extractors, the networks whose features the scores compare."""
