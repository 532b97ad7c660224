"""Verifies that an exported model loads and computes without this package."""
