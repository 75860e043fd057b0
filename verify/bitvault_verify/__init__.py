"""Checks an export of a BitVault audit log without BitVault: ``python3 -m bitvault_verify audit.jsonl``."""
