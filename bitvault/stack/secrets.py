"""Secrets of one stack: made on its first start, kept in ``secrets.json`` (0600), stable for ever after."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from bitvault.stack.errors import StackError

# 256 bits each, the strength the tokens of BitVault have as well.
SECRET_BYTES = 32
ACCESS_KEY_BYTES = 10


@dataclass(frozen=True, slots=True)
class StackSecrets:
    """Everything in a stack that nobody else may know.

    Losing ``store_kek`` loses every object that was stored encrypted; losing the others costs a new start.
    """

    django_secret_key: str
    database_admin_password: str
    database_password: str
    valkey_password: str
    s3_access_key_id: str
    s3_secret_access_key: str
    store_kek: str
    store_jwt_write: str
    store_jwt_read: str
    store_jwt_filer_write: str
    store_jwt_filer_read: str


def ensure_secrets(path: Path) -> StackSecrets:
    """Read the secrets of this stack, or make them when there are none."""
    if path.exists():
        return _read(path)
    made = StackSecrets(
        s3_access_key_id=secrets.token_hex(ACCESS_KEY_BYTES).upper(),
        **{
            field.name: secrets.token_hex(SECRET_BYTES)
            for field in fields(StackSecrets)
            if field.name != "s3_access_key_id"
        },
    )
    write_private(path, json.dumps(asdict(made), indent=2) + "\n")
    return made


def _read(path: Path) -> StackSecrets:
    try:
        return StackSecrets(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as damage:
        raise StackError(
            f"{path} cannot be read as the secrets of this version of BitVault ({damage}): "
            "put the file back from a backup, or delete all data with 'make reset'."
        ) from damage


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    half_written = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    half_written.unlink(missing_ok=True)
    descriptor = os.open(half_written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    half_written.replace(path)
