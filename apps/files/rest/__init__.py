"""REST of files and folders."""
