"""What identity reads. The two questions of every request, who holds this token or session, are one query each."""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet, UUIDField, Value

from apps.identity import credentials, dtos, ended, impersonations, models, sql
from apps.identity.errors import InvalidToken
from apps.identity.session_store import hash_key
from bitvault.kernel import clock, db, pages
from bitvault.kernel.actor import ALL_SCOPES, Actor, Role, Scope
from bitvault.kernel.pages import Page
from bitvault.kernel.permissions import Permission, read_permissions
from bitvault.kernel.remembered import Remembered
from bitvault.kernel.tenancy import Tenant

C = TypeVar("C", models.ApiToken, models.Session)

TOUCH_INTERVAL = timedelta(minutes=1)
"""How exact “last used” is: one small write a minute for each credential instead of one a request."""

_tenants_by_host: Remembered[str, Tenant] = Remembered()
_holders: Remembered[bytes, tuple[Actor, Any]] = Remembered()


def forget_remembered() -> None:
    """Make this process ask the database again: something was taken away here."""
    _tenants_by_host.forget()
    _holders.forget()


# --- tenants ---------------------------------------------------------------------------------------------------------------


def to_tenant(row: models.Tenant) -> Tenant:
    """Give a tenant as the kernel knows it."""
    return Tenant(
        id=row.id,
        slug=row.slug,
        name=row.name,
        locale=row.locale,
        time_zone=row.time_zone,
        accent_light=row.accent_light,
        accent_dark=row.accent_dark,
        logo_id=row.logo_id,
    )


def tenant_url(slug: str) -> str:
    """Tell where a browser finds a tenant: one label below the bare host, by the same scheme and port."""
    base = urlsplit(settings.BITVAULT_BASE_URL)
    port = f":{base.port}" if base.port else ""
    return f"{base.scheme}://{slug}.{base.hostname}{port}"


def find_tenant_url(tenant: Tenant) -> str:
    """Tell where a browser finds a tenant by the host name that it has chosen, by default below the bare host."""
    primary = (
        models.Domain.objects.filter(tenant_id=tenant.id, is_primary=True).values_list("domain", flat=True).first()
    )
    if primary is None or primary.endswith(f".{settings.BITVAULT_BASE_HOST}"):
        return tenant_url(tenant.slug)
    base = urlsplit(settings.BITVAULT_BASE_URL)
    port = f":{base.port}" if base.port else ""
    return f"{base.scheme}://{primary}{port}"


def find_tenant_by_host(host: str) -> Tenant | None:
    """Find the active tenant of a host name, remembered for under a second."""
    name = host.lower().rstrip(".")
    return _tenants_by_host.get(name, lambda: _ask_tenant_by_host(name))


def _ask_tenant_by_host(host: str) -> Tenant | None:
    if "\0" in host:
        return None
    label, _, parent = host.partition(".")
    slug = label if parent == settings.BITVAULT_BASE_HOST else None
    by_slug = Q(slug=slug)
    by_domain = Q(pk__in=models.Domain.objects.filter(domain=host).values("tenant_id"))
    rows = models.Tenant.objects.filter(by_slug | by_domain, state=models.TenantState.ACTIVE)
    row = rows.order_by(ExpressionWrapper(by_slug, BooleanField()).desc()).first()
    return None if row is None else to_tenant(row)


def find_tenant(tenant_id: UUID) -> Tenant | None:
    """Find an active tenant by id."""
    row = models.Tenant.objects.filter(pk=tenant_id, state=models.TenantState.ACTIVE).first()
    return None if row is None else to_tenant(row)


def select_active(tenant_ids: Collection[UUID]) -> set[UUID]:
    """Tell which of these tenants are active."""
    rows = models.Tenant.objects.filter(pk__in=tenant_ids, state=models.TenantState.ACTIVE)
    return set(rows.values_list("id", flat=True))


def list_tenants() -> list[Tenant]:
    """List every tenant, oldest first; one that is being deleted is none any more."""
    rows = models.Tenant.objects.exclude(state=models.TenantState.REMOVING).order_by("id")
    return [Tenant(id=key, slug=slug, name=name) for key, slug, name in rows.values_list("id", "slug", "name")]


def list_active_tenants() -> list[Tenant]:
    """List every active tenant, oldest first."""
    rows = models.Tenant.objects.filter(state=models.TenantState.ACTIVE).order_by("id")
    return [Tenant(id=key, slug=slug, name=name) for key, slug, name in rows.values_list("id", "slug", "name")]


def list_tenants_of_user(user_id: UUID) -> list[dtos.TenantOfUser]:
    """List the active tenants of a person, by name."""
    rows = (
        models.Membership.objects.filter(
            user_id=user_id, state=models.MembershipState.ACTIVE, tenant__state=models.TenantState.ACTIVE
        )
        .order_by("tenant__name", "tenant_id")
        .values_list("tenant_id", "tenant__slug", "tenant__name", "role")
    )
    return [
        dtos.TenantOfUser(id=key, slug=slug, name=name, role=Role(role), url=tenant_url(slug))
        for key, slug, name, role in rows
    ]


# --- people ----------------------------------------------------------------------------------------------------------------


def find_email(text: str) -> str | None:
    """Give an address in the one spelling that is kept, or None when the text is no e-mail address."""
    email = text.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        return None
    return email


def find_user(email: str) -> models.User | None:
    """Find a person by their proved e-mail, whatever its case; a text that is no address finds nobody."""
    spelling = find_email(email)
    return None if spelling is None else models.User.objects.filter(email=spelling).first()


def find_member_by_email(email: str, tenant: Tenant) -> models.User | None:
    """Find a member of a tenant by e-mail: whose address it is, or else who claims it."""
    spelling = find_email(email)
    if spelling is None:
        return None
    either = models.User.objects.filter(Q(email=spelling) | Q(claimed_email=spelling), memberships__tenant_id=tenant.id)
    return either.order_by(F("email").asc(nulls_last=True), "id").first()


def get_profile(actor: Actor) -> dtos.Profile:
    """Tell an actor who they are."""
    person = models.User.objects.only("id", "email", "claimed_email", "name", "locale", "time_zone").get(
        pk=actor.user_id
    )
    return dtos.Profile(
        user=to_user(person),
        tenant=dtos.TenantInfo(id=actor.tenant.id, slug=actor.tenant.slug, name=actor.tenant.name),
        role=actor.role,
        scopes=sorted(actor.scopes),
        permissions=[one for one in Permission if actor.may(one)],
    )


def to_user(row: models.User) -> dtos.User:
    """Give a person as other modules may know them."""
    return dtos.User(
        id=row.id,
        email=row.shown_email,
        name=row.name,
        email_proved=row.email is not None,
        locale=row.locale,
        time_zone=row.time_zone,
    )


# --- credentials -----------------------------------------------------------------------------------------------------------


def get_actor_by_token(text: str, *, address: str | None) -> Actor:
    """Tell who holds a token.

    What is remembered is found by the hash of the whole token, so a wrong secret never meets a right one's entry.
    """
    token_id, secret = credentials.read_token(text)
    found = _holders.get(hashlib.sha256(text.encode()).digest(), lambda: _ask_holder(token_id, secret))
    if found is None or found[1] <= clock.now():
        raise InvalidToken().about(ended.find_refused_token(token_id, secret))
    holder = found[0]
    return Actor(
        tenant=holder.tenant,
        user_id=holder.user_id,
        role=holder.role,
        scopes=holder.scopes,
        groups=holder.groups,
        given=holder.given,
        token_id=token_id,
        address=address,
    )


def _ask_holder(token_id: UUID, secret: str) -> tuple[Actor, Any] | None:
    """Find the holder of a token and when it expires; its last use is noted at most once a minute."""
    with db.prepared_cursor() as cursor:
        cursor.execute(sql.FIND_HOLDER, [token_id])
        row = cursor.fetchone()
    if not credentials.verify(secret, None if row is None else row[0]):
        return None
    _, scopes, expires_at, last_used_at, user_id, role, given, groups, tenant_id, slug, name = row
    now = clock.now()
    if expires_at <= now:
        return None
    if last_used_at is None or last_used_at < now - TOUCH_INTERVAL:
        _touch(sql.TOUCH_TOKEN, token_id)
    tenant = Tenant(id=tenant_id, slug=slug, name=name)
    holder = Actor(
        tenant=tenant,
        user_id=user_id,
        role=Role(role),
        scopes=frozenset(map(Scope, scopes)),
        groups=tuple(groups),
        given=None if given is None else read_permissions(given),
    )
    return holder, expires_at


def filter_valid(credentials: "QuerySet[C]") -> "QuerySet[C]":
    """Leave those tokens or sessions whose person, membership and tenant are active, by a password that still holds (as ``sql`` does)."""
    return credentials.filter(
        user__is_active=True,
        user__password_changed_at__lte=F("proved_at"),
        user__memberships__tenant=F("tenant"),
        user__memberships__state=models.MembershipState.ACTIVE,
        tenant__state=models.TenantState.ACTIVE,
    )


def find_viewer(session: SessionBase, *, tenant: Tenant, address: str | None) -> dtos.Viewer | None:
    """Tell who is signed in; never remembered, for a session that was ended must be nobody's at once."""
    if session.session_key is None:
        return None
    now = clock.now()
    with db.prepared_cursor() as cursor:
        cursor.execute(sql.FIND_SIGNED_IN, [hash_key(session.session_key), tenant.id, now])
        row = cursor.fetchone()
    if row is None:
        return None
    session_id, last_seen_at, user_id, role, given, groups, email, claimed_email, name, locale, time_zone, by = row
    impersonation = None if by is None else impersonations.find_live(by)
    if by is not None and impersonation is None:
        return None
    if last_seen_at < now - TOUCH_INTERVAL:
        _touch(sql.TOUCH_SESSION, session_id)
    actor = Actor(
        tenant=tenant,
        user_id=user_id,
        role=Role(role),
        scopes=ALL_SCOPES if impersonation is None else ALL_SCOPES - {Scope.FILES_WRITE},
        groups=tuple(groups),
        given=None if given is None else read_permissions(given),
        session_id=session_id,
        address=address,
        impersonation=impersonation,
    )
    user = dtos.User(
        id=user_id,
        email=email or claimed_email,
        name=name,
        email_proved=email is not None,
        locale=locale,
        time_zone=time_zone,
    )
    return dtos.Viewer(actor=actor, user=user)


def list_valid_credentials(*, session_ids: Collection[UUID], token_ids: Collection[UUID]) -> frozenset[UUID]:
    """Tell which sessions and tokens would be let in now; never remembered."""
    now = clock.now()
    sessions = models.Session.objects.filter(pk__in=session_ids, expire_date__gt=now)
    tokens = models.ApiToken.objects.filter(pk__in=token_ids, revoked_at=None, expires_at__gt=now)
    nobody = Value(None, output_field=UUIDField())
    found = filter_valid(sessions).values_list("pk", "impersonation_id")
    found = found.union(filter_valid(tokens).values_list("pk", nobody))
    return frozenset(key for key, by in found if by is None or impersonations.find_live(by) is not None)


def _touch(statement: str, key: UUID) -> None:
    now = clock.now()
    with db.prepared_cursor() as cursor:
        cursor.execute(statement, [now, key, now - TOUCH_INTERVAL])


def find_proof(session: SessionBase, *, tenant: Tenant) -> tuple[UUID, datetime, bool] | None:
    """Tell who is signed in at a tenant's host, when their password was proved, and whether their address is."""
    viewer = find_viewer(session, tenant=tenant, address=None)
    if viewer is None or viewer.actor.session_id is None or viewer.actor.impersonation is not None:
        return None
    proved_at = models.Session.objects.filter(id=viewer.actor.session_id).values_list("proved_at", flat=True).first()
    return None if proved_at is None else (viewer.user.id, proved_at, viewer.user.email_proved)


def find_signed_in(session: SessionBase) -> dtos.SignedIn | None:
    """Tell whom a session of the bare host remembers."""
    if session.session_key is None:
        return None
    row = (
        models.Session.objects.filter(
            session_key=hash_key(session.session_key),
            tenant__isnull=True,
            expire_date__gt=clock.now(),
            proved_at__isnull=False,
            user__is_active=True,
        )
        .values_list("user_id", "proved_at", "user__password_changed_at", "user__email")
        .first()
    )
    if row is None:
        return None
    user_id, proved_at, password_changed_at, email = row
    if proved_at is None or password_changed_at > proved_at:
        return None
    return dtos.SignedIn(
        user_id=user_id,
        proved_at=proved_at,
        tenants=tuple(list_tenants_of_user(user_id)),
        email_proved=email is not None,
    )


# --- lists -----------------------------------------------------------------------------------------------------------------


def list_sessions(actor: Actor, *, limit: int, cursor: str | None) -> Page[dtos.Session]:
    """List an actor's sessions in the tenant, newest first."""
    rows = models.Session.objects.filter(
        tenant_id=actor.tenant.id, user_id=actor.user_id, expire_date__gt=clock.now(), proved_at__isnull=False
    )
    return newest_first("identity.sessions", rows, limit=limit, cursor=cursor).map(
        lambda row: to_session(row, current=row.id == actor.session_id)
    )


def to_session(row: models.Session, *, current: bool) -> dtos.Session:
    """Give a session as its person sees it."""
    return dtos.Session(
        id=row.id,
        address=row.address,
        agent=row.agent,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expire_date,
        current=current,
    )


def list_tokens(actor: Actor, *, limit: int, cursor: str | None) -> Page[dtos.Token]:
    """List an actor's tokens in the tenant, newest first; expired ones are shown, so that people see why a program stopped."""
    rows = models.ApiToken.objects.filter(tenant_id=actor.tenant.id, user_id=actor.user_id, revoked_at=None).defer(
        "secret_hash"
    )
    return newest_first("identity.tokens", rows, limit=limit, cursor=cursor).map(to_token)


def to_token(row: models.ApiToken) -> dtos.Token:
    """Give a token as its holder sees it."""
    return dtos.Token(
        id=row.id,
        name=row.name,
        scopes=[Scope(scope) for scope in row.scopes],
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
    )


def newest_first(purpose: str, rows: "QuerySet[Any]", *, limit: int, cursor: str | None) -> Page[Any]:
    """Cut one page of rows by falling id; ids rise with time."""
    if cursor is not None:
        rows = rows.filter(id__lt=UUID(pages.decode_cursor(purpose, cursor)[0]))
    pages.require_limit(limit)
    found = list(rows.order_by("-id")[: limit + 1])
    more = len(found) > limit
    return Page(found[:limit], pages.encode_cursor(purpose, [str(found[limit - 1].id)]) if more else None)
