"""Rewinds: planned by reading the record of what was, and carried out as ordinary changes."""
