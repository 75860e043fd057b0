"""A BitVault that is used and killed at the same time, for as long as asked, and checked at the end."""
