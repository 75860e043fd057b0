"""Room and bytes against a model: whatever is done to a vault, what it tells, what is counted and what lies in the store are the same."""
