"""Whether an upload may begin: name, place and rights are judged before any byte moves, and again when it is committed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.files import access, errors, limits, locks
from apps.files.admitting import require_admitted
from apps.files.dtos import Mode
from apps.files.dtos.uploads import UploadGrant, UploadWish
from apps.files.operations.returning import require_returnable
from apps.files.rows import Way, fetch_page, find_way, find_ways, kind_name
from apps.files.sql.uploads import TARGET_BY_ID, TARGET_BY_NAME, TARGETS
from apps.files.tree import NOTHING_BELOW, TAKEN_BY, require_folder, require_room
from bitvault.kernel import db, file_rules, names
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability
from bitvault.kernel.errors import BitVaultError, NotFound
from bitvault.kernel.file_rules import FileRules
from bitvault.kernel.names import Name


@dataclass(frozen=True, slots=True)
class _Target:
    """A node that an upload is meant for, or that has its name; and the version that the sender starts from."""

    node_id: UUID
    kind: int
    name: str
    version_id: UUID | None
    blob_id: UUID | None
    lock: str | None
    """As it is stored."""


def authorise(
    *,
    actor: Actor,
    parent_id: UUID,
    name: Name,
    mode: Mode,
    node_id: UUID | None,
    base_version_id: UUID | None,
    autorename: bool,
    size_bytes: int,
) -> UploadGrant:
    """Decide whether an upload may begin, in one read transaction."""
    if size_bytes > limits.FILE_LIMIT_BYTES:
        raise errors.FileTooLarge(limit_bytes=limits.FILE_LIMIT_BYTES)
    if (node_id is not None and mode == "add") or (base_version_id is not None and mode != "update"):
        raise errors.UploadTargetUnfit
    rules = file_rules.current()
    with db.read_transaction() as tx:
        if node_id is not None:
            way, lies_in, parent_id, name = _find_file(actor, node_id, mode)
            require_admitted(actor, rules, lies_in, name.text, size_bytes)
            target = _find_target(tx, TARGET_BY_ID, node_id=node_id, base_version_id=base_version_id)
        else:
            way = require_folder(access.require(actor, find_way(parent_id, actor), Capability.ADD))
            require_admitted(actor, rules, way, name.text, size_bytes)
            target = _find_target(
                tx, TARGET_BY_NAME, parent_id=parent_id, name_key=name.key, base_version_id=base_version_id
            )
            if not access.find_mask(actor, way) & Capability.VIEW:
                target, autorename = None, True  # who sees nothing there is told nothing of what has the name
            if target is None or mode == "add":
                require_room(way, name, NOTHING_BELOW)
    grant = _judge_target(actor, way, target, mode=mode, base_version_id=base_version_id, autorename=autorename)
    return UploadGrant(
        parent_id=parent_id,
        name=name.text,
        mode=mode,
        node_id=grant.node_id if grant else None,
        base_version_id=grant.version_id if grant else None,
        autorename=autorename,
        base_blob_id=grant.blob_id if grant else None,
        root_id=way.root.id,
    )


def _find_file(actor: Actor, node_id: UUID, mode: Mode) -> tuple[Way, Way, UUID, Name]:
    """Find the file that is meant: where its rights and where rules for files are judged, its folder and its name."""
    found = find_way(node_id, actor)
    if mode == "update" and found is not None and not found.is_live:
        # It was deleted while somebody worked on it. Their edit brings it back, at the commit.
        deleted = require_returnable(actor, found)
        judged, lies_in, parent_id = deleted.root, deleted.refuge, deleted.origin_id
    else:
        judged = lies_in = found = access.require(actor, found, Capability.EDIT)
        if found.node.parent_id is None:
            raise errors.NotAFile
        parent_id = found.node.parent_id
    if found.node.is_folder:
        raise errors.NotAFile
    return judged, lies_in, parent_id, names.of_stored(found.node.name)


def _find_target(tx: db.Transaction, sql: str, **parameters: Any) -> _Target | None:
    rows = tx.run_last(sql, parameters)
    return _Target(*rows[0]) if rows else None


def _judge_target(
    actor: Actor, way: Way, target: _Target | None, *, mode: Mode, base_version_id: UUID | None, autorename: bool
) -> _Target | None:
    """Decide about what is there already; returns the file that is to get a version, ``None`` for a new file."""
    if mode == "update":
        if base_version_id is None:
            raise errors.BaseVersionRequired
        if target is None or target.version_id is None:
            raise NotFound
    elif target is None:
        return None
    elif mode == "add" or kind_name(target.kind) == "folder":
        if autorename:
            return None
        kind = kind_name(target.kind)
        raise errors.NameTaken(TAKEN_BY[kind], node_id=target.node_id, kind=kind, name=target.name)
    access.require(actor, way, Capability.EDIT)
    locks.refuse_locked(actor, target.node_id, target.name, target.lock)
    return target


def authorise_many(*, actor: Actor, wishes: Sequence[UploadWish]) -> list[UploadGrant | BitVaultError]:
    """Decide whether several uploads may begin, in one read transaction; one answer for each, in order."""
    parsed = [_parse(wish) for wish in wishes]
    rules = file_rules.current()
    named = {(wish.parent_id, name.key) for wish, name in zip(wishes, parsed, strict=True) if isinstance(name, Name)}
    with db.read_transaction():
        ways = find_ways({parent_id for parent_id, _ in named})
        found = fetch_page(TARGETS, {"parent_ids": [one for one, _ in named], "name_keys": [key for _, key in named]})
    targets = {(parent_id, key): _Target(*target) for parent_id, key, *target in found}
    answers: list[UploadGrant | BitVaultError] = []
    for wish, name in zip(wishes, parsed, strict=True):
        if not isinstance(name, Name):
            answers.append(name)
            continue
        try:
            target = targets.get((wish.parent_id, name.key))
            answers.append(_judge_wish(actor, rules, wish, name, ways, target))
        except BitVaultError as error:
            answers.append(error)
    return answers


def _parse(wish: UploadWish) -> Name | BitVaultError:
    if wish.size_bytes > limits.FILE_LIMIT_BYTES:
        return errors.FileTooLarge(limit_bytes=limits.FILE_LIMIT_BYTES)
    try:
        return names.parse(wish.name)
    except BitVaultError as error:
        return error


def _judge_wish(
    actor: Actor, rules: FileRules, wish: UploadWish, name: Name, ways: Mapping[UUID, Way], target: _Target | None
) -> UploadGrant:
    way = require_folder(access.require(actor, ways.get(wish.parent_id), Capability.ADD))
    require_admitted(actor, rules, way, name.text, wish.size_bytes)
    autorename = wish.autorename
    if not access.find_mask(actor, way) & Capability.VIEW:
        target, autorename = None, True  # who sees nothing there is told nothing of what has the name
    if target is None or wish.mode == "add":
        require_room(way, name, NOTHING_BELOW)
    grant = _judge_target(actor, way, target, mode=wish.mode, base_version_id=None, autorename=autorename)
    return UploadGrant(
        parent_id=wish.parent_id,
        name=name.text,
        mode=wish.mode,
        node_id=grant.node_id if grant else None,
        base_version_id=grant.version_id if grant else None,
        autorename=autorename,
        base_blob_id=grant.blob_id if grant else None,
        root_id=way.root.id,
    )
