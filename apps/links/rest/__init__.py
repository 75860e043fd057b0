"""Links over REST."""
