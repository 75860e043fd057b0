"""Example module: say in one sentence what it is for."""
