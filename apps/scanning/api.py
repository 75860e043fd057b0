"""The door of scanning."""

from collections.abc import Collection
from uuid import UUID

from apps.files.api import shown as files
from apps.scanning import dtos, operations, queries
from apps.scanning.engines import chosen
from apps.scanning.engines.port import ScannerDown
from apps.scanning.errors import TooManyNodes
from apps.storage.api import scanned as storage
from bitvault.kernel import pages, scanning
from bitvault.kernel.actor import Actor
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT, Page
from bitvault.kernel.permissions import Permission
from bitvault.kernel.scanning import Mode, Unscanned

NODE_LIMIT = 100
"""Files that one answer tells of: two screens of a list."""


@exposed
def get_rule(*, actor: Actor) -> dtos.Rule:
    """Tell how the tenant has its content scanned."""
    return operations.to_rule(scanning.current())


@exposed
def change_rule(*, actor: Actor, mode: Mode | None = None, unscanned: Unscanned | None = None) -> dtos.Rule:
    """Change how the tenant has its content scanned; what is left out stays. Switched on, it has all that is there scanned as well.

    :raises PermissionMissing: the actor does not manage settings.
    :raises NoScanner: it is to be switched on, and this installation has none.
    """
    return operations.change_rule(actor=actor, mode=mode, unscanned=unscanned)


@exposed
def get_scan(*, actor: Actor, node_id: UUID, version_id: UUID | None = None) -> dtos.Scan:
    """Tell how it stands with the scanning of a file, or of one of its versions.

    :raises NotAFile: the node is a folder.
    """
    content = files.get_shown_content(actor=actor, node_id=node_id, version_id=version_id)
    return _describe({node_id: (content.version_id, content.blob_id, content.content_hash)})[0]


@exposed
def list_scans(*, actor: Actor, node_ids: Collection[UUID]) -> list[dtos.Scan]:
    """Tell how it stands with several files; what is no file, or not the actor's to see, is left out.

    :raises TooManyNodes: more than a hundred are asked for.
    """
    if len(node_ids) > NODE_LIMIT:
        raise TooManyNodes(limit=NODE_LIMIT)
    contents = files.list_shown_contents(actor=actor, node_ids=node_ids)
    return _describe({key: (one.version_id, one.blob_id, one.content_hash) for key, one in contents.items()})


def _describe(wanted: dict[UUID, tuple[UUID, UUID, str]]) -> list[dtos.Scan]:
    if not wanted:
        return []
    withheld = scanning.current().withheld
    states = storage.find_scan_states(blob_ids=[blob_id for _, blob_id, _ in wanted.values()])
    known = queries.list_contents({content_hash for *_, content_hash in wanted.values()})
    found = []
    for node_id, (version_id, blob_id, content_hash) in wanted.items():
        state, row = states.get(blob_id, "unscanned"), known.get(content_hash)
        found.append(
            dtos.Scan(
                node_id=node_id,
                version_id=version_id,
                state=state,
                is_readable=state not in withheld,
                reason=row.reason or None if row is not None else None,  # type: ignore[arg-type] # no other is stored
                signature=row.signature or None if row is not None else None,
                scanned_at=row.scanned_at if row is not None else None,
            )
        )
    return found


@exposed
def is_anything_marked(*, actor: Actor) -> bool:
    """Tell whether any file can be anything but readable and clean: where nothing is scanned, and nothing was found, none can."""
    return scanning.current().mode != "off" or queries.is_anything_found()


@exposed
def list_quarantine(*, actor: Actor, cursor: str | None = None, limit: int = PAGE_DEFAULT) -> Page[dtos.Quarantined]:
    """List contents in which something was found, the latest first, those that were released too.

    :raises PermissionMissing: the actor does not manage settings.
    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_permission(Permission.MANAGE_SETTINGS)
    pages.require_limit(limit)
    return queries.list_found(cursor=cursor, limit=limit)


@exposed
def release(*, actor: Actor, content_id: UUID, reason: str) -> dtos.Quarantined:
    """Let a content be read in which something was found, and say why; repeatable.

    :raises PermissionMissing: the actor does not manage settings.
    :raises NotInQuarantine: there is none.
    :raises ReasonMissing: nothing says why, or too much.
    """
    return operations.release(actor=actor, content_id=content_id, reason=reason)


@exposed
def discard(*, actor: Actor, content_id: UUID) -> dtos.Discarded:
    """Put all files that have an infected content into the trash, wherever they lie; repeatable. Locked ones stay, closed as they are.

    :raises PermissionMissing: the actor does not manage settings.
    :raises NotInQuarantine: there is no such content.
    :raises ContentNotInfected: it was released.
    """
    return operations.discard(actor=actor, content_id=content_id)


@exposed
def find_scanner() -> str | None:
    """Ask the scanner of this installation who it is; ``None``: there is none, ``""``: it does not answer."""
    if not chosen.is_chosen():
        return None
    try:
        return chosen.find_version()
    except ScannerDown:
        return ""
