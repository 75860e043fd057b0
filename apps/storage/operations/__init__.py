"""What changes attempts and blobs: beginning them, completing them, sweeping them."""
