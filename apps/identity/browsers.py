"""Browsers that somebody has signed in with before: their guesses are counted apart from strangers'.

A limit on guesses at one account locks its owner out when strangers use it up. So a browser that has proved an account keeps a signed
cookie: a random number of its own, and marks of the last accounts it has proved. It counts for those accounts alone. It is no credential:
who steals it gains a few more guesses.
"""

from django.conf import settings
from django.core import signing
from django.utils.crypto import salted_hmac

from bitvault.kernel import ids

ACCOUNTS_LIMIT = 5
"""Accounts that one browser is known for; more would make the cookie long."""

_SALT = "identity.known-browser"


def find_known(cookie: str, email: str) -> str | None:
    """Tell the number of the browser that sent a cookie, when it has proved this account before."""
    kept = _read(cookie)
    return kept[0] if kept is not None and _mark(email) in kept[1] else None


def remember(cookie: str, email: str) -> str:
    """Write the cookie that a browser gets once it has proved an account; ``cookie`` is the one that it has, or empty."""
    kept = _read(cookie)
    number, marks = kept if kept is not None else (ids.new_secret(), [])
    mark = _mark(email)
    return signing.dumps([number, [mark, *(known for known in marks if known != mark)][:ACCOUNTS_LIMIT]], salt=_SALT)


def _read(cookie: str) -> tuple[str, list[str]] | None:
    max_age = settings.BITVAULT_KNOWN_BROWSER_COOKIE["max_age"]
    try:
        number, marks = signing.loads(cookie, salt=_SALT, max_age=max_age)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return number, marks


def _mark(email: str) -> str:
    """Give a short mark of an account, of which nobody without the installation's secret can tell the address."""
    return salted_hmac(_SALT, email.strip().lower(), algorithm="sha256").hexdigest()[:16]
