"""The embedded single-machine stack: real PostgreSQL, Valkey and SeaweedFS from their Python packages, and a supervisor.

For development, tests and small installs. Production settings never import it.
"""
