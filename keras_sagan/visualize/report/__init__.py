"""The report of a run, a single HTML page that needs no network."""
