"""A target in which everything is sealed: contents and names.

One random key, made with the first backup, seals a whole target. It lies there in ``sealed.json``, wrapped by the key that operators give
(``BITVAULT_BACKUP_KEYS``), so that another key of theirs only needs to wrap it anew. What stays visible: how many backups there are and of
when, how large each file is, when each object came (its upload's id, which keeps names in order), and which objects are of one tenant.
"""

import base64
import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from bitvault.backup import manifest, sealing
from bitvault.backup.errors import BackupError, Damaged
from bitvault.backup.targets import Target

KEY_FILE = "sealed.json"
WRAP_NONCE_BYTES = 12
_DEEP = 3
"""Words of an object's key: its tenant, its upload, and what it is of that."""


class Wrapped(msgspec.Struct, frozen=True):
    """The target's key, wrapped by one of the operators' keys."""

    by: str
    """Which one, told by a hash of it."""
    nonce: str
    box: str


class KeyFile(msgspec.Struct, frozen=True):
    """What a sealed target says of itself."""

    format: int
    wrapped: list[Wrapped]


def parse_keys(text: str) -> list[bytes]:
    """Read keys of 32 bytes each, written in base64, with commas between; the first one wraps.

    :raises BackupError: one is no such key.
    """
    keys = []
    for word in filter(None, (each.strip() for each in text.split(","))):
        try:
            key = base64.b64decode(word, validate=True)
        except ValueError:  # binascii.Error is one
            key = b""
        if len(key) != sealing.KEY_BYTES:
            raise BackupError(
                "BITVAULT_BACKUP_KEYS: each key is 32 bytes in base64; `openssl rand -base64 32` makes one."
            )
        keys.append(key)
    return keys


def open_sealed(target: Target, keys: Sequence[bytes], *, writes: bool) -> Target:
    """Open a target as it is to be used: sealed where it is sealed, or where it is new and there are keys.

    :param writes: whether a backup is to be taken: then a new target is sealed, and one whose key changes is wrapped anew.
    :raises BackupError: it is sealed with another key, or holds backups that are not sealed and is to get one that is.
    """
    told = _find_key_file(target)
    if told is None:
        if not (keys and writes):
            return target
        if manifest.list_ids(target):
            raise BackupError(
                f"{target.name} holds backups that are not encrypted. Name another place for encrypted ones; these can still be restored."
            )
        return _seal_new(target, keys[0])
    if not keys:
        raise BackupError(f"The backups in {target.name} are encrypted: give their key in BITVAULT_BACKUP_KEYS.")
    secret = _unwrap(target, told, keys)
    if writes and [each.by for each in told.wrapped] != [_name_key(keys[0])]:
        _keep_key(target, secret, keys[0])
    return SealedTarget(target, secret)


class SealedTarget:
    """Keeps named bytes in another target, sealed, under sealed names."""

    def __init__(self, target: Target, secret: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        self._target = target
        self._contents = sealing.derive(secret, salt=b"", purpose=b"bitvault backup contents")
        self._names = AESSIV(sealing.derive(secret, salt=b"", purpose=b"bitvault backup names", length=64))
        self.name = target.name

    @property
    def work(self) -> Path | None:
        """Nowhere in the target: dumps are plain until they are written."""
        return None

    def write(self, name: str, pieces: Iterable[bytes], *, size_bytes: int) -> None:
        """Seal and write."""
        sealed = sealing.seal(pieces, key=self._contents, name=name)
        self._target.write(self._seal_name(name), sealed, size_bytes=sealing.sealed_size(size_bytes))

    def read(self, name: str) -> Iterator[bytes]:
        """Read and prove, in pieces of 1 MiB."""
        return sealing.unseal(self._target.read(self._seal_name(name)), key=self._contents, name=name)

    def find_sizes(self, names: Collection[str]) -> dict[str, int]:
        """Tell the plain sizes of those that are there."""
        sealed = {self._seal_name(name): name for name in names}
        return {sealed[name]: sealing.plain_size(size) for name, size in self._target.find_sizes(sealed).items()}

    def list_folders(self, folder: str) -> list[str]:
        """List the backups; the names of other folders are sealed."""
        return self._target.list_folders(folder)

    def list_names(self, folder: str) -> list[str]:
        """List what lies in a folder under plain names."""
        return sorted(self._open_name(name) for name in self._target.list_names(folder))

    def delete(self, names: Collection[str]) -> None:
        """Delete what is there of these."""
        self._target.delete([self._seal_name(name) for name in names])

    def _seal_name(self, name: str) -> str:
        """Seal the words of a name that tell something, alike each time: the same name is found again."""
        kind, *words = name.split("/")
        if kind == manifest.OBJECTS and len(words) == _DEEP:
            tenant, upload, rest = words
            return "/".join((kind, self._seal_word(tenant, kind), upload, self._seal_word(rest, f"{tenant}/{upload}")))
        if kind == manifest.BACKUPS and len(words) > 1:
            return "/".join((kind, words[0], self._seal_word("/".join(words[1:]), words[0])))
        raise BackupError(f"{name!r} is no name in a backup.")

    def _open_name(self, sealed: str) -> str:
        """Tell the plain name.

        :raises Damaged: it was not sealed here.
        """
        kind, *words = sealed.split("/")
        if kind == manifest.OBJECTS and len(words) == _DEEP:
            tenant = self._open_word(words[0], kind)
            return "/".join((kind, tenant, words[1], self._open_word(words[2], f"{tenant}/{words[1]}")))
        if kind == manifest.BACKUPS and len(words) == 2:  # noqa: PLR2004 - the backup, and the rest of the name
            return "/".join((kind, words[0], self._open_word(words[1], words[0])))
        raise Damaged(f"{sealed!r} is no sealed name.")

    def _seal_word(self, word: str, of: str) -> str:
        # In letters that file systems tell apart which do not tell upper from lower case, and short enough for a name of a file.
        return base64.b32encode(self._names.encrypt(word.encode(), [of.encode()])).decode().rstrip("=").lower()

    def _open_word(self, word: str, of: str) -> str:
        from cryptography.exceptions import InvalidTag

        try:
            sealed = base64.b32decode(word.upper() + "=" * (-len(word) % 8))
            return self._names.decrypt(sealed, [of.encode()]).decode()
        except (InvalidTag, ValueError):
            raise Damaged(f"{word!r} is no sealed name.") from None


# --- the target's key --------------------------------------------------------------------------------------------------------


def _find_key_file(target: Target) -> KeyFile | None:
    try:
        body = b"".join(target.read(KEY_FILE))
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(body, type=KeyFile)
    except msgspec.DecodeError as error:
        raise Damaged(f"{KEY_FILE} in {target.name} cannot be read: {error}.") from error


def _seal_new(target: Target, key: bytes) -> Target:
    secret = os.urandom(sealing.KEY_BYTES)
    _keep_key(target, secret, key)
    return SealedTarget(target, secret)


def _keep_key(target: Target, secret: bytes, key: bytes) -> None:
    """Write the target's key, wrapped by this one alone."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(WRAP_NONCE_BYTES)
    box = AESGCM(key).encrypt(nonce, secret, KEY_FILE.encode())
    told = KeyFile(1, [Wrapped(_name_key(key), base64.b64encode(nonce).decode(), base64.b64encode(box).decode())])
    body = msgspec.json.format(msgspec.json.encode(told), indent=1)
    target.write(KEY_FILE, [body], size_bytes=len(body))


def _unwrap(target: Target, told: KeyFile, keys: Sequence[bytes]) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    named = {_name_key(key): key for key in keys}
    for each in told.wrapped:
        if each.by in named:
            try:
                box, nonce = base64.b64decode(each.box), base64.b64decode(each.nonce)
                return AESGCM(named[each.by]).decrypt(nonce, box, KEY_FILE.encode())
            except (InvalidTag, ValueError):
                raise Damaged(f"{KEY_FILE} in {target.name} is not as it was written.") from None
    raise BackupError(
        f"The backups in {target.name} are encrypted with another key than those in BITVAULT_BACKUP_KEYS."
    )


def _name_key(key: bytes) -> str:
    """Name a key without telling anything of it."""
    return hashlib.sha256(b"bitvault backup key\n" + key).hexdigest()[:16]
