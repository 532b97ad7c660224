"""Exports a page that runs a generator in the browser of its visitors."""
