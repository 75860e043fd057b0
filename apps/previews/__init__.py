"""Previews: what pages show of content."""
