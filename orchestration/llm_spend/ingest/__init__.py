"""Loading usage logs into the landing tables."""
