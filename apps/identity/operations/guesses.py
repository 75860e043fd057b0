"""How many passwords may be guessed, counted before one is compared.

Strangers meet three limits, the narrowest first, so that one attacker at one address uses up their own share and not the account's: an
account from one address, an address, an account from anywhere. The last one bounds a guesser with many addresses. Whoever reaches it
locks out everybody whose browser is not known; a browser that has proved the account before is counted by itself and meets none of them.
Operators are counted apart from everybody else. What turns out right is given back: only failures count.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from apps.identity.errors import InvalidCredentials
from bitvault.web import throttle


@dataclass(frozen=True, slots=True)
class _Limit:
    name: str
    limit: int
    per_seconds: int


_Cells = list[tuple[_Limit, list[str]]]

PAIR = _Limit("password-account-address", 10, 300)
"""A person who has forgotten tries a few; ten at once and then two a minute stop a program."""

ADDRESS = _Limit("password-address", 60, 300)
"""An office behind one address mistypes sometimes; a list of stolen passwords is longer than this."""

ACCOUNT = _Limit("password-account", 100, 3600)
"""2,400 a day against one account from anywhere: nothing against a password that is not among the common ones."""

BROWSER = _Limit("password-account-browser", 10, 300)
"""The same as for a pair, for a browser that the account was signed in with before, wherever it is now."""


def count_sign_up(*, email: str, address: str) -> Callable[[], None]:
    """Count one sign-up, which is a guess too: who has an account proves it there. Gives what uncounts a right one.

    It stays counted for an account that is not known as well, or the limit would tell. From one address the limit of sign-ups is narrower.

    :raises TooManyRequests: a limit is reached.
    :raises Unavailable: guesses cannot be counted now.
    """
    account = email.strip().lower()
    cells = [(PAIR, [account, address]), (ACCOUNT, [account])]
    _take(cells, prefix="")
    return partial(_give_back, cells, prefix="")


def _take(cells: _Cells, *, prefix: str) -> None:
    for limit, parts in cells:
        throttle.take(prefix + limit.name, parts, limit=limit.limit, per_seconds=limit.per_seconds, everywhere=True)


def _give_back(cells: _Cells, *, prefix: str) -> None:
    for limit, parts in cells:
        throttle.give_back(
            prefix + limit.name, parts, limit=limit.limit, per_seconds=limit.per_seconds, everywhere=True
        )


@contextmanager
def counted(*, email: str, address: str, browser: str | None = None, of_operator: bool = False) -> Iterator[None]:
    """Count one guess for ``email`` from ``address``, then run the block; it stays counted when the block finds it wrong.

    :param browser: the number of a browser that has proved this account before (``identity.browsers``).
    :param of_operator: the guess is at the operators' own sign-in.

    :raises TooManyRequests: a limit is reached; the block does not run.
    :raises Unavailable: guesses cannot be counted now; the block does not run.
    """
    account = email.strip().lower()
    cells = [(PAIR, [account, address]), (ADDRESS, [address]), (ACCOUNT, [account])]
    if browser is not None:
        cells = [(BROWSER, [account, browser])]
    prefix = "operator-" if of_operator else ""
    _take(cells, prefix=prefix)
    wrong = False
    try:
        yield
    except InvalidCredentials:
        wrong = True
        raise
    finally:
        if not wrong:
            _give_back(cells, prefix=prefix)
