"""Whether the rules of the tenant and of folders let a file in, by its name and its size (``kernel.file_rules``).

Folders' rules are inherited downwards and judged one by one, so a lower one only tightens what stands above. They are read with the way to
the folder, which is read anyway. What is here already stays where it is, and comes back to where it was; what goes elsewhere is judged by
the rules of folders that it did not lie in.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.files import access, errors, limits
from apps.files.dtos.rules import RulesInForce, StoredRules
from apps.files.rows import NodeRow, Way, fetch_page
from apps.files.sql.walks import FILES_BELOW
from bitvault.kernel import file_rules
from bitvault.kernel.actor import Actor, ActorKind
from bitvault.kernel.file_rules import FileRules

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

_HELP = {
    "administrators": _("Ask an owner or administrator of the vault."),
    "managers": _("Ask who manages the folder."),
    "link": _("Ask whoever gave you the link."),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """Rules of one folder, given by the way to it, or of the tenant."""

    rules: FileRules
    way: Way | None = None
    set_at: datetime | None = None


def read_stored(row: NodeRow) -> StoredRules | None:
    """Read a folder's own rules."""
    return None if row.file_rules is None else msgspec.json.decode(row.file_rules, type=StoredRules)


def list_rules_of_folders(way: Way) -> list[Rule]:
    """List the rules of folders that hold at the lower end of a way, topmost first."""
    found = ((start, read_stored(row)) for start, row in enumerate(way.rows) if row.file_rules is not None)
    rules = [Rule(stored.rules, Way(way.rows[start:]), stored.set_at) for start, stored in found if stored is not None]
    return rules[::-1]


def find_in_force(vault: FileRules, way: Way) -> RulesInForce:
    """Tell what comes into the folder at the lower end of a way."""
    return RulesInForce.of(file_rules.combine([vault, *(rule.rules for rule in list_rules_of_folders(way))]))


def require_admitted(actor: Actor, vault: FileRules, way: Way, name: str, size_bytes: int) -> None:
    """Refuse a new file, or new bytes of one, that the rules do not let into the folder at the lower end of ``way``.

    :raises TypeRefused, SizeRefused: they do not.
    """
    _require(actor, [Rule(vault), *list_rules_of_folders(way)], name, size_bytes)


def require_still_admitted(actor: Actor, way: Way, name: str, size_bytes: int, *, begun_at: datetime | None) -> None:
    """Refuse a finished upload that lands where rules of folders do not let it in. What was begun before a rule is not judged by it.

    :raises TypeRefused, SizeRefused: they do not.
    """
    rules = list_rules_of_folders(way)
    older = (rule for rule in rules if begun_at is None or rule.set_at is None or rule.set_at <= begun_at)
    _require(actor, older, name, size_bytes)


def require_name(actor: Actor, vault: FileRules, way: Way, *, old_name: str, name: str) -> None:
    """Refuse to call a file so that it gets an extension that is refused; one that it has already it keeps.

    :raises TypeRefused: it would.
    """
    _require_name(actor, [Rule(vault), *list_rules_of_folders(way)], old_name=old_name, name=name)


def require_place(
    actor: Actor, vault: FileRules, node: NodeRow, target: Way, *, lay_in_ids: Collection[UUID], name: str
) -> None:
    """Refuse to put a file that is here, or a folder with such files, elsewhere by another name: judged are rules that are new to it.

    :param lay_in_ids: what it lay in so far.
    :raises TypeRefused, SizeRefused: a rule does not let it in, or something that lies in it.
    :raises TooManyToJudge: too much lies in it.
    """
    there = list_rules_of_folders(target)
    new = [rule for rule in there if rule.way is not None and rule.way.node.id not in lay_in_ids]
    if not node.is_folder:
        _require(actor, new, name, node.size_bytes)
        known = [Rule(vault), *(rule for rule in there if rule not in new)]
        _require_name(actor, known, old_name=node.name, name=name)
    elif new and node.child_count:
        for below_name, size_bytes in _list_files_below(node):
            _require(actor, new, below_name, size_bytes)


def _list_files_below(folder: NodeRow) -> Iterator[tuple[str, int]]:
    rows = fetch_page(FILES_BELOW, {"id": folder.id, "limit": limits.JUDGED_LIMIT + 1})
    if len(rows) > limits.JUDGED_LIMIT:
        raise errors.TooManyToJudge(
            "A folder there has rules for files, and no more than %(limit)s files and folders are judged at once. "
            "Take what lies in this one in parts.",
            limit=limits.JUDGED_LIMIT,
        )
    return ((name, size_bytes) for is_file, name, size_bytes in rows if is_file)


def _require(actor: Actor, rules: Iterable[Rule], name: str, size_bytes: int) -> None:
    for rule in rules:
        refused = rule.rules.find_refused(name)
        if refused is not None:
            raise _type_refused(actor, rule, name, refused)
        limit = rule.rules.largest_bytes
        if limit is not None and size_bytes > limit:
            taker, facts = _describe(actor, rule, name)
            raise errors.SizeRefused(
                _sentence(_("%(taker)s takes files of %(size)s bytes at most."), facts["ask"], taker=taker, size=limit),
                limit_bytes=limit,
                size_bytes=size_bytes,
                **facts,
            )


def _require_name(actor: Actor, rules: Iterable[Rule], *, old_name: str, name: str) -> None:
    for rule in rules:
        refused = rule.rules.find_refused(name)
        if refused is not None and refused != rule.rules.find_refused(old_name):
            raise _type_refused(actor, rule, name, refused)


def _type_refused(actor: Actor, rule: Rule, name: str, extension: str) -> errors.TypeRefused:
    taker, facts = _describe(actor, rule, name)
    said = (
        _("%(taker)s takes no files of the type “%(type)s”.")
        if extension
        else _("%(taker)s takes no files without an extension.")
    )
    return errors.TypeRefused(
        _sentence(said, facts["ask"], taker=taker, type=extension),
        extension=extension,
        allowed=list(rule.rules.extensions) if rule.rules.types == "only" else None,
        **facts,
    )


def _describe(actor: Actor, rule: Rule, name: str) -> tuple[str, dict[str, Any]]:
    """Name whose rule it is, as far as the actor sees the folder; and give the facts of a refusal."""
    way = rule.way
    folder = way.node if way is not None and access.knows(actor, way, access.find_mask(actor, way)) else None
    ask = "managers" if way is not None else "administrators"
    facts = {
        "name": name,
        "rule_of": "vault" if way is None else "folder",
        "folder_id": folder and folder.id,
        "folder_name": folder and folder.name,
        "ask": "link" if actor.kind is ActorKind.LINK else ask,
    }
    if folder is not None:
        return gettext("The folder “%(name)s”") % {"name": folder.name}, facts
    return (gettext("This vault") if way is None else gettext("This folder")), facts


def _sentence(said: "StrPromise", ask: str, **words: object) -> str:
    """Say what a rule does not let in, and whom to ask, in the language of the moment: its parts are too many for whole sentences."""
    return f"{said % words} {_HELP[ask]}"
