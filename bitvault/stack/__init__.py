"""The embedded single-machine stack: real PostgreSQL, Valkey and an S3 store, and a supervisor.

For development, tests and small installs. Production settings never import it.
"""
