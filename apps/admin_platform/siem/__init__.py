"""Sending the audit log on to a SIEM: formats, jobs, what administrators and operators change of it."""
