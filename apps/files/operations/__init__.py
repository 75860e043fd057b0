"""Writes: ``structure`` shapes the tree, ``content`` makes versions, ``trash`` takes away and gives back, ``purging`` deletes."""
