"""The module over REST."""
