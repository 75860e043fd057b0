"""Browsers that somebody has signed in with before: their guesses are counted apart from strangers'.

A limit on guesses at one account locks its owner out when strangers use it up. So a browser that has proved an account keeps a signed
cookie: a random number of its own, and marks of the last accounts it has proved. It counts for those accounts alone. It is no credential:
who steals it gains a few more guesses.
"""

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from bitvault.kernel import ids

COOKIE_SECONDS = 180 * 24 * 3600
"""How long a browser stays known after its last sign-in: longer forgives a long absence, shorter forgets a sold computer sooner."""

ACCOUNTS_LIMIT = 5
"""Accounts that one browser is known for; more would make the cookie long."""

_SALT = "identity.known-browser"


def find_known(request: HttpRequest, email: str) -> str | None:
    """Tell the number of the browser that asks, when it has proved this account before."""
    kept = _read(request)
    return kept[0] if kept is not None and _mark(email) in kept[1] else None


def remember(request: HttpRequest, response: HttpResponse, email: str) -> None:
    """Have the browser that has just proved an account keep that it did."""
    kept = _read(request)
    number, marks = kept if kept is not None else (ids.new_secret(), [])
    mark = _mark(email)
    marks = [mark, *(known for known in marks if known != mark)][:ACCOUNTS_LIMIT]
    response.set_cookie(
        cookie_name(),
        signing.dumps([number, marks], salt=_SALT),
        max_age=COOKIE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def cookie_name() -> str:
    """Name the cookie; by https it is bound to this host alone."""
    return "__Host-known-browser" if settings.SESSION_COOKIE_SECURE else "known-browser"


def _read(request: HttpRequest) -> tuple[str, list[str]] | None:
    try:
        number, marks = signing.loads(request.COOKIES.get(cookie_name(), ""), salt=_SALT, max_age=COOKIE_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return number, marks


def _mark(email: str) -> str:
    """Give a short mark of an account, of which nobody without the installation's secret can tell the address."""
    return salted_hmac(_SALT, email.strip().lower(), algorithm="sha256").hexdigest()[:16]
