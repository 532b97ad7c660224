"""Ports and access rules that all servers of the package share."""
