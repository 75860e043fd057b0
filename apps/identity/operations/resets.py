"""Forgotten passwords: a code by mail, good for one new password."""

from datetime import timedelta

from apps.identity import codes, models, queries
from apps.identity.errors import InvalidCode, InvalidCredentials
from apps.identity.operations import passwords
from bitvault.kernel import clock, db, ids
from bitvault.mail import api as mail
from bitvault.web import throttle

CODE_LENGTH = 26
"""130 bits: the code alone says whose password it resets, so nobody may find one by guessing."""

CODE_LIFETIME = timedelta(hours=1)

MAILS_LIMIT = 5
"""Requests for one account in an hour; the mails that were sent are still good then."""

ADDRESS_LIMIT = 30
"""Requests from one address in an hour: an office behind one address, not a program that walks a list."""

TRIES_LIMIT = 30
"""Codes that one address may try in five minutes; right ones are given back."""

_HOUR, _FIVE_MINUTES = 3600, 300


def ask(*, email: str, address: str) -> None:
    """Send a code to the address, if it is somebody's.

    For nobody the same is written, and the job finds nobody to send to: known and unknown cost and read the same.

    :raises TooManyRequests: too many were asked for, for this account or from this address.
    """
    throttle.take("password-forgot-address", [address], limit=ADDRESS_LIMIT, per_seconds=_HOUR, everywhere=True)
    account = email.strip().lower()
    throttle.take("password-forgot", [account], limit=MAILS_LIMIT, per_seconds=_HOUR, everywhere=True)
    person = queries.find_user(email)
    code_id = ids.new_id()
    now = clock.now()
    with db.public_transaction():
        models.EmailCode.objects.create(
            id=code_id,
            user_id=person.id if person is not None and person.is_active else None,
            purpose=models.EmailCode.Purpose.RESET,
            code_hash=codes.hash_code(codes.derive(code_id, length=CODE_LENGTH)),
            created_at=now,
            expires_at=now + CODE_LIFETIME,
        )
        mail.send("identity.reset_password", reference=code_id)


def reset(*, code: str, new_password: str, address: str) -> None:
    """Replace the password of whoever got the code; all their sessions and tokens end.

    :raises InvalidCode: it is none, was used or has expired.
    :raises WeakPassword: the new one is too easy to guess; the code stays good.
    """
    throttle.take("password-reset", [address], limit=TRIES_LIMIT, per_seconds=_FIVE_MINUTES, everywhere=True)
    sent = (
        models.EmailCode.objects.select_related("user")
        .filter(
            code_hash=codes.hash_code(code),
            purpose=models.EmailCode.Purpose.RESET,
            expires_at__gt=clock.now(),
            user__is_active=True,
        )
        .first()
    )
    if sent is None or sent.user is None:
        raise InvalidCode
    throttle.give_back("password-reset", [address], limit=TRIES_LIMIT, per_seconds=_FIVE_MINUTES, everywhere=True)
    try:
        passwords.replace(person=sent.user, new_password=new_password, by=None, code_id=sent.id)
    except InvalidCredentials as error:
        # Somebody has changed it meanwhile, and that ends the code.
        raise InvalidCode from error
