"""Operators who look at a tenant as one of its members: how that begins, is carried to the tenant's host, and ends.

What was begun, ended and refused stands in the tenant's audit log and in the operators' journal.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.sessions.backends.base import SessionBase
from django.db import IntegrityError
from django.utils.translation import gettext_noop
from redis.exceptions import RedisError

from apps.identity import credentials, dtos, errors, for_operators, impersonations, models, people, policies, queries
from apps.identity.config import IMPERSONATION_LONGEST_MINUTES
from apps.identity.operations import standing, texts
from apps.identity.operations.endings import end_sessions
from apps.identity.session_store import SessionStore, hash_key
from bitvault.events.api import publish
from bitvault.events.catalog.impersonation import ImpersonationBegan, ImpersonationEnded
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.actor import Actor, Role
from bitvault.kernel.db import forbid_transaction
from bitvault.kernel.errors import NotFound, Unavailable
from bitvault.kernel.permissions import Permission
from bitvault.kernel.tenancy import Tenant
from bitvault.mail import api as mail
from bitvault.web import valkey

CODE_SECONDS = 60
"""One redirect takes a second; a minute forgives a slow line, and is over before a code in a history is found."""

AGENT = "BitVault support: {name}"
"""What stands in the place of a browser's name in the list of sessions that the member sees."""


class _Kept(msgspec.Struct, frozen=True):
    impersonation_id: UUID
    tenant_id: UUID


def begin(
    *, operator_id: UUID, session: SessionBase, slug: str, email: str, reason: str, minutes: int
) -> dtos.Handover:
    """Begin to look at a tenant; the code that comes of it is exchanged at the tenant's host.

    :raises ImpersonationUnfit: no reason, or more time than there may be.
    :raises NotFound: no such tenant, or nobody in it has this address.
    :raises ImpersonationRefused: the operator, the tenant or the person says no.
    :raises ImpersonationOpen: the operator looks at one already.
    :raises Unavailable: codes cannot be kept now.
    """
    reason = _read_reason(reason)
    if not 1 <= minutes <= IMPERSONATION_LONGEST_MINUTES.get():
        raise errors.ImpersonationUnfit("Choose at least one minute, and no more than may be.", field="minutes")
    here = for_operators.find_tenant_by_slug(slug)
    if here is None:
        raise NotFound("There is no such tenant, or it is suspended.")
    operator = impersonations.find_operator(operator_id)
    member = queries.find_member_by_email(email, here)
    _close(one for one in impersonations.list_open().filter(operator_id=operator_id) if impersonations.find_end(one))
    now = clock.now()
    row = models.Impersonation(
        id=ids.new_id(),
        operator_id=operator_id,
        operator_name=operator.name or operator.shown_email if operator is not None else "",
        operator_session_id=_find_session(session, operator_id),
        tenant_id=here.id,
        slug=here.slug,
        member_id=operator_id if member is None else member.id,
        member_email=queries.find_email(email) or "" if member is None else member.shown_email,
        reason=reason,
        began_at=now,
        expires_at=now + timedelta(minutes=minutes),
    )
    _require_allowed(row, operator, member, here)
    secret = _keep_code(row)
    try:
        _write(row, here)
    except IntegrityError as error:
        raise errors.ImpersonationOpen from error
    return dtos.Handover(ticket=secret, tenant_url=queries.find_tenant_url(here))


def _read_reason(text: str) -> str:
    reason = " ".join(texts.read_message(text).split())
    if not reason:
        raise errors.ImpersonationUnfit("Say why: the reason is kept, and the tenant reads it.", field="reason")
    return reason


def _find_session(session: SessionBase, operator_id: UUID) -> UUID:
    own = models.Session.objects.filter(session_key=hash_key(session.session_key or ""), user_id=operator_id)
    found = own.first()
    if found is None:
        raise errors.ImpersonationRefused(reason="session")
    key: UUID = found.id
    return key


def _require_allowed(
    row: models.Impersonation, operator: models.User | None, member: models.User | None, tenant: Tenant
) -> None:
    """Refuse what may not be, and write down in the journal and the tenant's stream that it was tried."""
    membership = None if member is None else _find_membership(tenant, member.id)
    why = ""
    if not impersonations.may_impersonate(operator):
        why = "permission"
    elif policies.find(tenant.id).support_access == "nobody":
        why = "policy"
    elif membership is None or member is None or not member.is_active:
        why = "no_member"
    elif membership.role == Role.GUEST.value:
        why = "guest"
    elif member.id == row.operator_id:
        why = "self"
    if not why:
        return
    with db.public_transaction():
        _note(row, DELETION, f"Refused ({why}): {row.reason}")
    raise errors.ImpersonationRefused(_SAID[why], reason=why)


_SAID = {
    "permission": gettext_noop("You may not look at tenants as one of their members."),
    "policy": gettext_noop("This tenant lets nobody of support in."),
    "no_member": gettext_noop("Nobody who is let in to this tenant has this address."),
    "guest": gettext_noop("Guests belong to others, for whom this tenant cannot speak."),
    "self": gettext_noop("You are a member of this tenant yourself: sign in as yourself."),
}


def _find_membership(tenant: Tenant, user_id: UUID) -> models.Membership | None:
    rows = models.Membership.objects.filter(tenant_id=tenant.id, user_id=user_id)
    return rows.filter(state=models.MembershipState.ACTIVE).first()


def _keep_code(row: models.Impersonation) -> str:
    forbid_transaction("keeping a code")
    secret = credentials.new_secret()
    kept = _Kept(impersonation_id=row.id, tenant_id=row.tenant_id)
    try:
        valkey.client().set(_key(secret), msgspec.json.encode(kept), ex=CODE_SECONDS)
    except RedisError as error:
        raise Unavailable from error
    return secret


def _key(secret: str) -> str:
    return f"public:impersonation:{credentials.hash_secret(secret).hex()}"


def _write(row: models.Impersonation, tenant: Tenant) -> None:
    with tenancy.entered(tenant), db.public_transaction():
        row.save(force_insert=True)
        publish(
            ImpersonationBegan(
                impersonation_id=row.id,
                user_id=row.member_id,
                operator_name=row.operator_name,
                reason=row.reason,
                ends_at=row.expires_at.isoformat(),
                actor_id=row.operator_id,
            )
        )
        for user_id in people.list_ids(tenant, permission=Permission.MANAGE_SETTINGS):
            mail.send("identity.impersonation", reference=row.id, facts={"user_id": str(user_id)})
        _note(row, ADDITION, f"Began, until {row.expires_at:%Y-%m-%d %H:%M} UTC: {row.reason}")


def redeem(*, code: str, tenant: Tenant, session: SessionBase, address: str) -> datetime:
    """Exchange a code at the host of its tenant for a session that ends by itself; tells when. The code is gone whatever comes of it.

    :raises InvalidHandover: it was used, is too old, of another tenant, or what it stood for is over.
    """
    forbid_transaction("taking a code")
    try:
        found = valkey.client().getdel(_key(code))
    except RedisError as error:
        raise Unavailable from error
    kept = None if found is None else msgspec.json.decode(found, type=_Kept)
    if kept is None or kept.tenant_id != tenant.id or impersonations.find_live(kept.impersonation_id) is None:
        raise errors.InvalidHandover
    store = SessionStore.of(session)
    with tenancy.entered(tenant), db.public_transaction():
        row = impersonations.list_open().select_for_update().filter(pk=kept.impersonation_id).first()
        now = clock.now()
        if row is None or standing.find_person(row.member_id, proved_at=now) is None:
            raise errors.InvalidHandover
        if not standing.is_member(tenant, row.member_id):
            raise errors.InvalidHandover
        if store.session_key is not None:
            own = models.Session.objects.filter(session_key=hash_key(store.session_key))
            end_sessions(own, actor_id=row.operator_id)
        store.begin(
            user_id=row.member_id,
            proved_at=now,
            address=address,
            agent=AGENT.format(name=row.operator_name)[:200],
            expires_at=row.expires_at,
            impersonation_id=row.id,
        )
        row.entered_at = now
        row.save(update_fields=["entered_at"])
    return row.expires_at


def end_by_session(session: SessionBase, *, tenant: Tenant) -> bool:
    """End what the browser's own session belongs to; tells whether there was anything to end."""
    if session.session_key is None:
        return False
    own = models.Session.objects.filter(session_key=hash_key(session.session_key), tenant_id=tenant.id)
    found = own.exclude(impersonation=None).values_list("impersonation_id", flat=True).first()
    return found is not None and bool(_close(impersonations.list_open().filter(pk=found)))


def end_by_operator(*, operator_id: UUID) -> bool:
    """End what an operator has begun; tells whether there was anything to end."""
    return bool(_close(impersonations.list_open().filter(operator_id=operator_id)))


def end_by_tenant(actor: Actor, impersonation_id: UUID) -> None:
    """End a look at the actor's tenant.

    :raises NotFound: nobody looks at it so.
    """
    rows = impersonations.list_open().filter(pk=impersonation_id, tenant_id=actor.tenant.id)
    if not _close(rows, by=actor.user_id):
        raise NotFound


def sweep() -> int:
    """End what holds no longer, and forget what is long over; returns how many were ended."""
    over = [row.id for row in impersonations.list_open() if impersonations.find_end(row) is not None]
    count = _close(impersonations.list_open().filter(pk__in=over)) if over else 0
    with db.public_transaction():
        models.Impersonation.objects.filter(ended_at__lt=clock.now() - impersonations.NOTED_FOR).delete()
    return count


def _close(rows: "Iterable[models.Impersonation]", *, by: UUID | None = None) -> int:
    """End some, each in a transaction of its own, with its sessions; returns how many there were.

    :param by: an administrator of the tenant; else the operator, unless it is over for another reason.
    """
    count = 0
    wanted = models.ImpersonationEnd.OPERATOR if by is None else models.ImpersonationEnd.TENANT
    for found in rows:
        why = impersonations.find_end(found) or wanted
        with db.public_transaction():
            row = impersonations.list_open().select_for_update().filter(pk=found.id).first()
            if row is None:
                continue
            row.ended_at, row.ended_for = clock.now(), why
            row.save(update_fields=["ended_at", "ended_for"])
            actor_id = by if why == models.ImpersonationEnd.TENANT and by is not None else row.operator_id
            end_sessions(models.Session.objects.filter(impersonation=row), actor_id=actor_id)
            if models.Tenant.objects.filter(pk=row.tenant_id).exclude(state=models.TenantState.REMOVING).exists():
                event = ImpersonationEnded(
                    impersonation_id=row.id, user_id=row.member_id, ended_for=why.value, actor_id=actor_id
                )
                publish(event, tenant_id=row.tenant_id)
            _note(row, CHANGE, f"Ended ({why.value})")
        count += 1
    return count


def _note(row: models.Impersonation, flag: int, text: str) -> None:
    """Write a line of the operators' journal."""
    LogEntry.objects.log_actions(row.operator_id, [row], flag, change_message=text)
