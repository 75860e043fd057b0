"""Annotations: what people note on files and folders, and how they find them again."""
