"""What annotations give to templates."""
