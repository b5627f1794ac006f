"""What leaves the chain: the bundle and the report."""
