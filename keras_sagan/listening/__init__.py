"""What every server of the package shares: ports, and whose requests are answered."""
