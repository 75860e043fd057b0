"""The browsers that somebody is told in by push: named by the browser itself, once it is allowed to show notifications."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from apps.identity import api as identity
from apps.notifications import dtos, webpush
from apps.notifications.errors import CredentialNarrowed, PushAddressUnfit, TooManyBrowsers
from apps.notifications.models import Browser
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound
from bitvault.kernel.outbound import addresses
from bitvault.web import agents

BROWSERS_LIMIT = 20
"""Of one person: each message goes to all of them."""

AGENT_LIMIT = 200

FORGOTTEN_AFTER = timedelta(days=90)
"""How long one is kept in which nobody signs in any more."""

FAILING_LIMIT = timedelta(days=30)
"""How long one is kept whose push service takes nothing."""


def list_of(actor: Actor) -> dtos.Browsers:
    """Find the actor's, oldest first."""
    with db.read_transaction():
        rows = list(Browser.objects.filter(user_id=actor.user_id).order_by("id"))
    signed_in = find_signed_in(rows)
    return dtos.Browsers([_to_dto(actor, row, is_signed_in=row.id in signed_in) for row in rows], webpush.public_key())


def find_signed_in(rows: Iterable[Browser]) -> set[UUID]:
    """Tell in which browsers their people are signed in at this moment; outside of a transaction."""
    by_id = {row.id: row.credential_id for row in rows}
    ids = set(by_id.values())
    valid = identity.list_valid_credentials(session_ids=ids, token_ids=ids) if ids else frozenset()
    return {browser_id for browser_id, credential_id in by_id.items() if credential_id in valid}


def add(actor: Actor, wish: dtos.PushTarget, *, agent: str) -> dtos.Browser:
    """Have the actor told in a browser; one that is known already is theirs from now on.

    :raises PushAddressUnfit: nothing is sent to its address, or its keys are none.
    :raises TooManyBrowsers: the actor has as many as one can have.
    :raises CredentialNarrowed: the actor's token is narrowed to a folder.
    """
    target, credential_id, now = _judge(wish), _credential_of(actor), clock.now()
    with db.write_transaction():
        known = Browser.objects.select_for_update().filter(address_hash=_hash(target)).first()
        if known is None or known.user_id != actor.user_id:
            if Browser.objects.filter(user_id=actor.user_id).count() >= BROWSERS_LIMIT:
                raise TooManyBrowsers(limit=BROWSERS_LIMIT)
            if known is not None:
                known.delete()
            Browser.objects.bulk_create(
                [
                    Browser(
                        user_id=actor.user_id,
                        credential_id=credential_id,
                        address_hash=_hash(target),
                        target=target.seal(),
                        agent=agent[:AGENT_LIMIT],
                        created_at=now,
                        renewed_at=now,
                    )
                ],
                # The browser itself may have asked twice.
                ignore_conflicts=True,
            )
            known = Browser.objects.get(address_hash=_hash(target))
        _renew(known, target, credential_id, agent)
    return _to_dto(actor, known, is_signed_in=True)


def renew(actor: Actor, browser_id: UUID, wish: dtos.PushTarget, *, agent: str) -> dtos.Browser:
    """Go on telling the actor in a browser: they have signed in again, or it has another address.

    :raises NotFound: it is none of the actor's, or was removed.
    :raises PushAddressUnfit: nothing is sent to its address, or its keys are none.
    :raises CredentialNarrowed: the actor's token is narrowed to a folder.
    """
    target, credential_id = _judge(wish), _credential_of(actor)
    with db.write_transaction():
        row = Browser.objects.select_for_update().filter(pk=browser_id, user_id=actor.user_id).first()
        if row is None:
            raise NotFound
        Browser.objects.filter(address_hash=_hash(target)).exclude(pk=row.pk).delete()
        _renew(row, target, credential_id, agent)
    return _to_dto(actor, row, is_signed_in=True)


def remove(actor: Actor, browser_id: UUID) -> None:
    """Tell the actor nothing in a browser any more.

    :raises NotFound: it is none of the actor's.
    """
    with db.write_transaction():
        if not Browser.objects.filter(pk=browser_id, user_id=actor.user_id).delete()[0]:
            raise NotFound


def forget_old() -> None:
    """Drop those whose push service has taken nothing for long, and those in which nobody signs in any more."""
    now = clock.now()
    with db.write_transaction():
        Browser.objects.filter(failing_since__lt=now - FAILING_LIMIT).delete()
    with db.read_transaction():
        old = list(Browser.objects.filter(renewed_at__lt=now - FORGOTTEN_AFTER))
    if left := {row.id for row in old} - find_signed_in(old):
        with db.write_transaction():
            Browser.objects.filter(pk__in=left, renewed_at__lt=now - FORGOTTEN_AFTER).delete()


def _judge(wish: dtos.PushTarget) -> webpush.Target:
    db.forbid_transaction("asking a name server")
    try:
        target = webpush.Target.parse(wish.address, p256dh=wish.p256dh, auth=wish.auth)
        if ":" in (addresses.parse(wish.address).hostname or ""):
            raise PushAddressUnfit(reason="malformed")
        addresses.require_fit(wish.address)
    except webpush.TargetUnfit as error:
        raise PushAddressUnfit(reason="keys") from error
    except addresses.Refused as refused:
        raise PushAddressUnfit(reason=refused.reason) from refused
    return target


def _credential_of(actor: Actor) -> UUID:
    credential_id = actor.session_id or actor.token_id
    if actor.folder_id is not None or credential_id is None:
        raise CredentialNarrowed
    return credential_id


def _renew(row: Browser, target: webpush.Target, credential_id: UUID, agent: str) -> None:
    row.address_hash, row.target, row.credential_id = _hash(target), target.seal(), credential_id
    row.agent, row.renewed_at, row.failing_since = agent[:AGENT_LIMIT], clock.now(), None
    row.save()


def _hash(target: webpush.Target) -> bytes:
    return hashlib.sha256(target.address.encode()).digest()


def _to_dto(actor: Actor, row: Browser, *, is_signed_in: bool) -> dtos.Browser:
    return dtos.Browser(
        id=row.id,
        name=agents.name_browser(row.agent),
        current=row.credential_id in (actor.session_id, actor.token_id),
        is_signed_in=is_signed_in,
        created_at=row.created_at,
        told_at=row.told_at,
        failing_since=row.failing_since,
    )
