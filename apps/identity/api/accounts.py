"""Doors to one's own account: the password, and the proof of the address."""

from apps.identity.dtos import User
from apps.identity.operations import emails, passwords, profiles, resets
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed


@exposed
def update_profile(
    *, actor: Actor, name: str | None = None, locale: str | None = None, time_zone: str | None = None
) -> User:
    """Change what is given of the actor's name, language and time zone; an empty language or zone leaves the choice to the tenant.

    :raises InvalidLabel: the name is empty, too long, or holds control characters.
    :raises InvalidLocale: pages are not to be had in this language.
    :raises InvalidTimeZone: there is no such zone.
    """
    actor.require_scope(Scope.ACCOUNT)
    return profiles.update(actor=actor, name=name, locale=locale, time_zone=time_zone)


@exposed
def change_password(*, actor: Actor, current_password: str, new_password: str) -> None:
    """Change the actor's password and end all other sessions and tokens of theirs, in every tenant.

    :raises TooManyRequests: too many guesses of the current one.
    :raises InvalidCredentials: the current one is wrong.
    :raises WeakPassword: the new one is too easy to guess.
    """
    passwords.change(actor=actor, current_password=current_password, new_password=new_password)


@exposed
def replace_password(*, email: str, new_password: str) -> None:
    """Give a person another password, as operators do, and end all sessions and tokens of theirs, in every tenant.

    :raises NotFound: nobody signs in with this address.
    :raises WeakPassword: it is too easy to guess.
    """
    passwords.replace_of(email=email, new_password=new_password)


@exposed
def ask_for_password_reset(*, email: str, address: str) -> None:
    """Send a code that resets a password to an address, if it is somebody's; what is done and answered is the same if not.

    :raises TooManyRequests: too many were asked for, for this account or from this address.
    """
    resets.ask(email=email, address=address)


@exposed
def reset_password(*, code: str, new_password: str, address: str) -> None:
    """Replace the password of whoever got the code, and end all sessions and tokens of theirs, in every tenant.

    :raises InvalidCode: it is none, was used or has expired.
    :raises WeakPassword: the new one is too easy to guess; the code stays good.
    :raises TooManyRequests: too many wrong codes from this address.
    """
    resets.reset(code=code, new_password=new_password, address=address)


@exposed
def send_email_code(*, actor: Actor) -> None:
    """Send another code to the address that the actor claims; earlier ones end.

    :raises EmailProved: there is nothing to prove any more.
    :raises TooManyRequests: too many were asked for.
    """
    emails.send_code(actor=actor)


@exposed
def prove_email(*, actor: Actor, code: str) -> None:
    """Give the actor's account the address that it claims.

    :raises InvalidCode: wrong, used, over, or guessed at ten times.
    :raises EmailTaken: another account has proved the same address first.
    """
    emails.prove(actor=actor, code=code)
