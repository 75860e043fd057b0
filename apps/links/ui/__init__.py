"""Pages of links: what a visitor sees who has the address of one."""
