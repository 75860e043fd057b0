"""The scaffold: ``make module NAME=tags`` writes the rooms of a new module and registers it."""
