"""Shared by all servers of the package: ports, and the rule for whom they answer."""
