"""Names of objects. Only ids and hashes, never text of a user: no name can leave its tenant's, or its attempt's, prefix.

``<tenant>/<upload>/<sha256>`` for a file of one part: the hash is in the key, so no URL can put other bytes there.
``<tenant>/<upload>/m`` for a larger one. ``<tenant>/<id>/derived`` for what was made of content, ``<tenant>/<id>/zip`` for archives: no
attempt has those ids.
"""

from uuid import UUID

from bitvault.kernel import tenancy

_HEX_LENGTH = 32
_DERIVED = "derived"


def tenant_prefix() -> str:
    """Name the place of everything of the entered tenant."""
    return tenancy.key("").replace(":", "/")


def upload_of(key: str) -> UUID | None:
    """Tell which attempt brought the object of a key of the entered tenant's; ``None`` for one that is none of ours."""
    upload, _, rest = key.removeprefix(tenant_prefix()).partition("/")
    try:
        return UUID(upload) if rest and "/" not in rest and len(upload) == _HEX_LENGTH else None
    except ValueError:
        return None


def prefix_of(upload_id: UUID) -> str:
    """Name the place of everything that one attempt can put into the store."""
    return tenancy.key(upload_id.hex, "").replace(":", "/")


def derived_key(derived_id: UUID) -> str:
    """Name the object of something derived."""
    return prefix_of(derived_id) + _DERIVED


def is_derived(key: str) -> bool:
    """Tell whether a key is that of something derived."""
    return key.endswith(f"/{_DERIVED}")


def archive_key(try_id: UUID) -> str:
    """Name the object of an archive that one try makes."""
    return prefix_of(try_id) + "zip"


def single_part_key(upload_id: UUID, digest: bytes) -> str:
    """Name the object of a file of one part with this digest."""
    return prefix_of(upload_id) + digest.hex()


def multipart_key(upload_id: UUID) -> str:
    """Name the object of a file of several parts."""
    return prefix_of(upload_id) + "m"
