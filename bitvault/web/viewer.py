"""Who looks at a page: the actor, and what the frame shows of them. The gateway finds it, by the same way as for REST."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from bitvault.kernel.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Somebody who is signed in at a tenant's host."""

    actor: Actor
    name: str
    email: str
    email_proved: bool
    locale: str = ""
    """The language that they have chosen; empty: none."""
    time_zone: str = ""
    """The zone that they have chosen; empty: none."""

    @property
    def id(self) -> UUID:
        """The person's id."""
        return self.actor.user_id

    @property
    def shown_name(self) -> str:
        """The name, or the address of who has given none."""
        return self.name or self.email

    @property
    def initials(self) -> str:
        """The letters that stand for the person."""
        return initials(self.name, self.email)


def initials(name: str, email: str) -> str:
    """Give the one or two letters that stand for a person."""
    words = (name or email.partition("@")[0].replace(".", " ")).split()
    return "".join(word[0] for word in [words[0], *words[1:][-1:]]) if words else "?"


@cache
def _finder() -> Callable[[HttpRequest], Viewer | None]:
    found: Callable[[HttpRequest], Viewer | None] = import_string(settings.BITVAULT_VIEWER_FINDER)
    return found


def find_viewer(request: HttpRequest) -> Viewer | None:
    """Find who is signed in at the host that is asked; one query."""
    return _finder()(request)
