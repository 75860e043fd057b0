"""Tags and favourites in answers: Files does not keep them, and asks for them once for each answer."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from apps.files.dtos import Children, Node, Path, Tag
from bitvault.kernel.actor import Actor
from bitvault.web.marks import finder

N = TypeVar("N", bound=Node)


def mark(actor: Actor, node: N) -> N:
    """Give a node with its tags, and whether it is a favourite of the actor."""
    return mark_all(actor, [node])[0]


def mark_all(actor: Actor, nodes: Sequence[N]) -> list[N]:
    """Give nodes with their marks, by one statement however many there are."""
    found = finder()(actor, [node.id for node in nodes]) if nodes else {}
    return [
        replace(
            node,
            tags=[Tag(id=tag.id, name=tag.name, colour=tag.colour) for tag in marks.tags],
            favourite=marks.favourite,
        )
        if (marks := found.get(node.id)) is not None
        else node
        for node in nodes
    ]


def mark_children(actor: Actor, page: Children) -> Children:
    """Give a page of a folder with the marks of its nodes."""
    return replace(page, items=mark_all(actor, page.items))


def mark_path(actor: Actor, path: Path) -> Path:
    """Give a path with the marks of its nodes."""
    return replace(path, items=mark_all(actor, path.items))
