"""Which mails there are, and who writes them: a module registers a function for each name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.functional import Promise

from bitvault.kernel.errors import ProgrammingError
from bitvault.mail.errors import UnknownMail

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Action:
    """What the mail asks for: a button in HTML, an address in text."""

    label: str | Promise
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail that is about to be rendered: ``<template>.txt`` and ``<template>.html`` with ``context``, in ``locale``."""

    to: str
    subject: str | Promise
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    action: Action | None = None
    vault_name: str = ""
    """The tenant that it is about, named as the sender and at the top. Its owner chose the name: never to an address that is not proved."""
    locale: str | None = None
    """Language of the recipient; the installation's where it is not known."""
    unsubscribe_url: str = ""
    """Where a POST without a session switches such mails off (RFC 8058); empty: they cannot be."""


Writer = Callable[[UUID, Facts], Letter | None]

_writers: dict[str, Writer] = {}


def mail_kind(name: str) -> Callable[[Writer], Writer]:
    """Let a function write the mails of this name: ``write(reference, facts)``, called by the job that sends.

    ``None`` means that there is nothing to tell any more: the account is gone, the code has expired.
    What it looks up is what is true when the mail leaves, and recipients and secrets stand in no job.

    :raises ProgrammingError: the name is taken.
    """

    def register(writer: Writer) -> Writer:
        if name in _writers:
            raise ProgrammingError(f"two functions write mails of the name {name}")
        _writers[name] = writer
        return writer

    return register


def get_writer(name: str) -> Writer:
    """Find who writes the mails of a name.

    :raises UnknownMail: nobody does.
    """
    try:
        return _writers[name]
    except KeyError:
        raise UnknownMail(f"no function writes mails of the name {name}") from None


def list_names() -> list[str]:
    """List the names of all mails that there are."""
    return sorted(_writers)
