"""Whether the tenant's rules let a file in, by its name and its size (``kernel.file_rules``). What is here already stays, and is copied."""

from apps.files import errors
from bitvault.kernel.actor import Actor, ActorKind
from bitvault.kernel.file_rules import FileRules

_HELP = {
    "administrators": "Ask an owner or administrator of the vault.",
    "link": "Ask whoever gave you the link.",
}


def require_admitted(actor: Actor, rules: FileRules, name: str, size_bytes: int) -> None:
    """Refuse a file that the rules do not let in.

    :raises TypeRefused, SizeRefused: they do not.
    """
    refused = rules.find_refused(name)
    if refused is not None:
        raise _type_refused(actor, rules, refused)
    if rules.largest_bytes is not None and size_bytes > rules.largest_bytes:
        ask = _whom_to_ask(actor)
        raise errors.SizeRefused(
            f"This vault takes files of {rules.largest_bytes} bytes at most. {_HELP[ask]}",
            limit_bytes=rules.largest_bytes,
            size_bytes=size_bytes,
            ask=ask,
        )


def require_name(actor: Actor, rules: FileRules, *, old_name: str, name: str) -> None:
    """Refuse to call a file so that it gets an extension that is refused; one that it has already it keeps.

    :raises TypeRefused: it would.
    """
    refused = rules.find_refused(name)
    if refused is not None and refused != rules.find_refused(old_name):
        raise _type_refused(actor, rules, refused)


def _type_refused(actor: Actor, rules: FileRules, extension: str) -> errors.TypeRefused:
    ask = _whom_to_ask(actor)
    what = f"of the type “{extension}”" if extension else "without an extension"
    return errors.TypeRefused(
        f"This vault takes no files {what}. {_HELP[ask]}",
        extension=extension,
        allowed=list(rules.extensions) if rules.types == "only" else None,
        ask=ask,
    )


def _whom_to_ask(actor: Actor) -> str:
    return "link" if actor.kind is ActorKind.LINK else "administrators"
