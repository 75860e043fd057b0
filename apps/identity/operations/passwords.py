"""Passwords: proving a person by theirs, and changing it."""

from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password

from apps.identity import dtos, models, queries
from apps.identity.errors import InvalidCode, InvalidCredentials
from apps.identity.operations import guesses, texts
from apps.identity.operations.endings import end_sessions, end_tokens
from bitvault.events.api import publish
from bitvault.events.catalog.identity import PasswordChanged
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound
from bitvault.kernel.tenancy import Tenant
from bitvault.mail import api as mail


def sign_in(*, email: str, password: str, tenant: Tenant | None, address: str, browser: str | None) -> dtos.SignedIn:
    """Prove a person by password; known or unknown, one guess is counted and one hash is computed."""
    with guesses.counted(email=email, address=address, browser=browser):
        # Before the comparing: a password that is changed meanwhile makes this proof worthless.
        proved_at = clock.now()
        person = queries.find_user(email) if tenant is None else queries.find_member_by_email(email, tenant)
        if not opens(person, password) or person is None:
            raise InvalidCredentials
        tenants = queries.list_tenants_of_user(person.id)
        if tenant is not None:
            tenants = [found for found in tenants if found.id == tenant.id]
            if not tenants:
                raise InvalidCredentials
        return dtos.SignedIn(
            user_id=person.id, proved_at=proved_at, tenants=tuple(tenants), email_proved=person.email is not None
        )


def opens(person: models.User | None, password: str) -> bool:
    """Tell whether a password opens an account; computes exactly one hash, also for nobody."""
    if person is None:
        make_password(password)
        return False
    return check_password(password, person.password) and person.is_active


def change(*, actor: Actor, current_password: str, new_password: str) -> None:
    """Change a person's password; the credential that asks stays, all others end (ASVS 5, 7.4.3)."""
    person = models.User.objects.get(pk=actor.user_id)
    with guesses.counted(email=person.shown_email, address=actor.address or ""):
        if not opens(person, current_password):
            raise InvalidCredentials("The current password is wrong.")
    replace(person=person, new_password=new_password, by=actor)


def replace_of(*, email: str, new_password: str) -> None:
    """Give the person who signs in with an address another password."""
    person = queries.find_user(email)
    if person is None:
        raise NotFound("Nobody signs in with %(email)s.", email=email)
    replace(person=person, new_password=new_password, by=None)


def replace(*, person: models.User, new_password: str, by: Actor | None, code_id: UUID | None = None) -> None:
    """Give a person another password and end what the old one had opened, except the credential of ``by``, if it is theirs.

    Each tenant that the person belongs to is told in its own stream, the person by mail. Codes that were to reset the old one end too.

    :param code_id: the code that this is done by; it is used up.
    :raises WeakPassword: it is too easy to guess.
    :raises InvalidCode: the code was used meanwhile.
    :raises InvalidCredentials: the password was changed by somebody else since ``person`` was read.
    """
    texts.require_strong(new_password, email=person.shown_email, name=person.name)
    encoded = make_password(new_password)
    actor_id = by.user_id if by is not None else None
    sessions = models.Session.objects.filter(user_id=person.id)
    tokens = models.ApiToken.objects.filter(user_id=person.id)
    own_session = by.session_id if by is not None else None
    if own_session is not None:
        sessions = sessions.exclude(id=own_session)
    if by is not None and by.token_id is not None:
        tokens = tokens.exclude(id=by.token_id)
    with db.public_transaction() as tx:
        now = clock.now()
        # Compared once more: of two changes at once, the second one no longer proves the password.
        if not models.User.objects.filter(pk=person.id, password=person.password).update(
            password=encoded, password_changed_at=now
        ):
            raise InvalidCredentials("The password was changed meanwhile.")
        codes = models.EmailCode.objects.filter(user_id=person.id, purpose=models.EmailCode.Purpose.RESET)
        if code_id is not None and not codes.filter(pk=code_id).exists():
            raise InvalidCode
        codes.delete()
        if person.email is not None:
            mail.send("identity.password_changed", reference=person.id)
        end_sessions(sessions, actor_id=actor_id)
        end_tokens(tokens, actor_id=actor_id)
        if own_session is not None:
            models.Session.objects.filter(id=own_session, user_id=person.id).update(proved_at=now)
        if by is not None and by.token_id is not None:
            models.ApiToken.objects.filter(id=by.token_id, user_id=person.id).update(proved_at=now)
        for tenant_id in models.Membership.objects.filter(user_id=person.id).values_list("tenant_id", flat=True):
            publish(PasswordChanged(user_id=person.id, actor_id=actor_id), tenant_id=tenant_id)
        tx.after_commit(queries.forget_remembered)
