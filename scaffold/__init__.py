"""The scaffold: ``make module NAME=labels`` writes the rooms of a new module and registers it."""
