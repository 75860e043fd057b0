"""Legal holds and retention rules: made and lifted, what they cover, what a rule deletes. What they forbid is in ``retaining``."""
