"""What files give to templates."""
