"""Scanning: content is looked at by a scanner for malware, once for each content of a tenant."""
