"""Public links: whoever has the address of one may see or fetch what it leads to."""
