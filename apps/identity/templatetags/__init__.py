"""What identity gives to templates of the frame."""
