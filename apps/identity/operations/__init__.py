"""What identity writes: each function is one transaction with its events."""
