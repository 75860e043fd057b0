"""A module that is loaded once, for all forks of a process."""
