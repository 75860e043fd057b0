"""Addresses: an account has one once it has proved it, by a code that was sent there."""

import hmac
from datetime import timedelta

from django.db import IntegrityError

from apps.identity import codes, models
from apps.identity.errors import EmailProved, EmailTaken, InvalidCode
from bitvault.events.api import publish
from bitvault.events.catalog import identity as events
from bitvault.kernel import clock, db, ids
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import TooManyRequests
from bitvault.mail import api as mail
from bitvault.web import throttle

CODE_LENGTH = 8
"""40 bits: typed from a phone, and far beyond what so few guesses find."""

CODE_LIFETIME = timedelta(hours=24)
"""A mail may be read the next morning."""

GUESSES_LIMIT = 10
"""Guesses at one code; after that a new one has to be asked for."""

SENDINGS_LIMIT = 5
"""Codes that an account may ask for in an hour, beside the one at sign-up."""

MAILS_LIMIT = 10
"""Mails of this kind to one address in an hour, whoever asks for them."""

_HOUR = 3600


def may_send_to(email: str) -> bool:
    """Count one mail to an address that is not proved; tells whether it may be sent."""
    try:
        throttle.take("email-proof-to", [email], limit=MAILS_LIMIT, per_seconds=_HOUR, everywhere=True)
    except TooManyRequests:
        return False
    return True


def ask_for_proof(person: models.User) -> None:
    """Send a code to the address that a person claims, in the open transaction; earlier codes end."""
    models.EmailCode.objects.filter(user_id=person.id, purpose=models.EmailCode.Purpose.PROOF).delete()
    code_id = ids.new_id()
    now = clock.now()
    models.EmailCode.objects.create(
        id=code_id,
        user_id=person.id,
        purpose=models.EmailCode.Purpose.PROOF,
        email=person.claimed_email or "",
        code_hash=codes.hash_code(codes.derive(code_id, length=CODE_LENGTH)),
        created_at=now,
        expires_at=now + CODE_LIFETIME,
    )
    mail.send("identity.prove_email", reference=code_id)


def send_code(*, actor: Actor) -> None:
    """Send another code to the address that the actor claims."""
    person = models.User.objects.get(pk=actor.user_id)
    if person.claimed_email is None:
        raise EmailProved
    throttle.take("email-proof", [person.id], limit=SENDINGS_LIMIT, per_seconds=_HOUR, everywhere=True)
    throttle.take("email-proof-to", [person.claimed_email], limit=MAILS_LIMIT, per_seconds=_HOUR, everywhere=True)
    with db.public_transaction():
        locked = models.User.objects.select_for_update(no_key=True).get(pk=person.id)
        if locked.claimed_email is None:
            raise EmailProved
        ask_for_proof(locked)


def prove(*, actor: Actor, code: str) -> None:
    """Give the actor's account the address that it claims; of several accounts that claim one, the first to prove it has it."""
    sent = _count_guess(actor)
    if sent is None or not hmac.compare_digest(codes.hash_code(code), bytes(sent.code_hash)):
        raise InvalidCode
    try:
        with db.public_transaction():
            # The code goes first: of two requests with it, one waits here and finds it used.
            if not models.EmailCode.objects.filter(pk=sent.pk).delete()[0]:
                raise InvalidCode
            if not models.User.objects.filter(pk=actor.user_id, email=None, claimed_email=sent.email).update(
                email=sent.email, claimed_email=None
            ):
                raise InvalidCode
            memberships = models.Membership.objects.filter(user_id=actor.user_id).order_by("tenant_id")
            for tenant_id in memberships.values_list("tenant_id", flat=True):
                publish(events.EmailProved(user_id=actor.user_id, actor_id=actor.user_id), tenant_id=tenant_id)
    except IntegrityError as error:
        raise EmailTaken from error


def _count_guess(actor: Actor) -> models.EmailCode | None:
    """Count one guess at the actor's code before it is compared; ``None`` when there is none to guess at."""
    with db.public_transaction():
        sent = (
            models.EmailCode.objects.select_for_update()
            .filter(
                user_id=actor.user_id,
                purpose=models.EmailCode.Purpose.PROOF,
                expires_at__gt=clock.now(),
                guess_count__lt=GUESSES_LIMIT,
            )
            .order_by("-id")
            .first()
        )
        if sent is not None:
            sent.guess_count += 1
            sent.save(update_fields=["guess_count"])
    return sent


def sweep_codes() -> None:
    """Delete codes that are past their time; they were good for nothing before that either."""
    with db.public_transaction():
        models.EmailCode.objects.filter(expires_at__lte=clock.now()).delete()
