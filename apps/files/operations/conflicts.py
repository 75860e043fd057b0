"""Edits that met: under which name the later one is kept, and whether it is kept already.

An edit is known by the version that it starts from and by its bytes. Several devices may report one edit (a folder that they share, a
restored backup, an answer that was lost): it is kept once, whoever reports it and however often.
"""

import re
from datetime import datetime
from uuid import UUID

from apps.files import access, errors
from apps.files.models import Version
from apps.files.operations.returning import find_deleted
from apps.files.rows import Way, find_ways
from bitvault.kernel import names
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability
from bitvault.kernel.names import NAME_LIMIT_BYTES, Name

SENDER_LIMIT_BYTES = 60
"""Of the name of whoever sent it: enough to tell devices apart, and the file's own name keeps most of its room."""

_UNFIT = re.compile(r'[/\\:*?"<>|]')
"""What a name cannot hold here, or on Windows; a device is called as its owner likes."""


def find_kept(
    actor: Actor, way: Way | None, base_version_id: UUID | None, *, content_hash: str, size_bytes: int
) -> Way | None:
    """Find where this very edit is kept already, as a version of the file at ``way`` or as a copy; ``None`` when it is new.

    A copy that lies in the trash was decided against: then it is the file itself that holds.

    :raises NodeGone: the file, too, was deleted since.
    """
    same = Version.objects.filter(content_hash=content_hash, size_bytes=size_bytes, base_version_id=base_version_id)
    ways = find_ways(same.values_list("node_id", flat=True).distinct())
    live = [one for one in ways.values() if access.find_mask(actor, one) & Capability.VIEW]
    if live:
        return live[0]
    for one in ways.values():
        deleted = find_deleted(actor, one)
        if deleted is not None and deleted.find_mask(actor) & Capability.VIEW:
            if way is None or not way.is_live:
                raise errors.NodeGone(node_id=one.node.id)
            return way
    return None


def name_copy(text: str, *, made_on: str, moment: datetime) -> Name:
    """Name the copy that keeps the losing side of two edits; the stem is cut to keep the limit of length."""
    stem, extension = names.split_extension(text)
    sender = names.cut(_UNFIT.sub("-", made_on), SENDER_LIMIT_BYTES)
    suffix = f" (conflicted copy, {sender}, {moment:%Y-%m-%d}){extension}"
    return names.of_stored(names.cut(stem, NAME_LIMIT_BYTES - len(suffix.encode())) + suffix)
