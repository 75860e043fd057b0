"""What billing gives to templates."""
