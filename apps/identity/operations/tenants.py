"""Tenants: how one comes to be, and how it is shut and opened again."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError

from apps.identity import dtos, models, provisioning, queries
from apps.identity.config import SIGN_UP_OPEN
from apps.identity.errors import DomainTaken, InvalidCredentials, SignUpClosed, SlugTaken
from apps.identity.operations import emails, guesses, members, passwords, texts
from apps.identity.operations.endings import announce
from bitvault.events.api import Event, open_stream, publish
from bitvault.events.catalog.identity import MemberAdded, TenantActivated, TenantCreated, TenantSuspended
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.actor import Role
from bitvault.kernel.errors import Conflict, NotFound
from bitvault.kernel.tenancy import Tenant
from bitvault.web import throttle
from bitvault.web.wakeups import Bond, bond

SIGN_UP_LIMIT = 60
"""Tenants that one address may ask for in an hour: a course behind one address, not a program. Each costs a schema and a role."""

SIGN_UP_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A tenant that somebody wants, its texts read."""

    slug: str
    name: str
    host: str


def _read_wanted(*, slug: str, name: str, domain: str | None) -> _Wanted:
    label = texts.read_slug(slug)
    title = texts.read_label(name, field="name")
    host = texts.read_domain(domain or f"{label}.{settings.BITVAULT_BASE_HOST}", slug=label)
    return _Wanted(label, title, host)


def create(
    *, slug: str, name: str, owner_email: str, owner_password: str, owner_name: str, domain: str | None
) -> dtos.TenantOfUser:
    """Make a tenant as operators do, who vouch for the owner's address."""
    wanted = _read_wanted(slug=slug, name=name, domain=domain)
    email = texts.read_email(owner_email)
    _require_free(wanted)
    owner = members.new_user(email=email, name=owner_name, password=owner_password)
    person = models.User.objects.filter(email=email).first()
    if person is not None and not passwords.opens(person, owner_password):
        raise InvalidCredentials
    return _found(wanted, owner=person or owner, is_new=person is None, wants_proof=False)


def _found(wanted: _Wanted, *, owner: models.User, is_new: bool, wants_proof: bool) -> dtos.TenantOfUser:
    """Write the tenant; row, domain, schema, role, stream and owner stand or fall with one commit."""
    tenant = Tenant(id=ids.new_id(), slug=wanted.slug, name=wanted.name)
    try:
        with tenancy.entered(tenant), db.public_transaction():
            if is_new:
                owner.save(force_insert=True)
            _write(tenant, wanted.host)
            members.join(person=owner, tenant_id=tenant.id, role=Role.OWNER)
            publish(TenantCreated(slug=wanted.slug, owner_id=owner.id, actor_id=owner.id))
            publish(MemberAdded(user_id=owner.id, role=Role.OWNER.value, actor_id=owner.id))
            if wants_proof:
                emails.ask_for_proof(owner)
    except IntegrityError as error:
        # Somebody else was quicker with the same address or host; or operators with the same e-mail, which sign-up only claims.
        _require_free(wanted)
        raise Conflict("Somebody made an account with this e-mail address at the same moment; try again.") from error
    return dtos.TenantOfUser(
        id=tenant.id, slug=wanted.slug, name=wanted.name, role=Role.OWNER, url=queries.tenant_url(wanted.slug)
    )


def _require_free(wanted: _Wanted) -> None:
    """Refuse an address or host that another tenant has.

    :raises SlugTaken, DomainTaken: it does.
    """
    if models.Tenant.objects.filter(slug=wanted.slug).exists():
        raise SlugTaken(slug=wanted.slug)
    if models.Domain.objects.filter(domain=wanted.host).exists():
        raise DomainTaken(domain=wanted.host)


def _write(tenant: Tenant, host: str) -> None:
    """Write a tenant's row, domain, schema and stream in the open transaction."""
    row = models.Tenant(
        id=tenant.id, slug=tenant.slug, name=tenant.name, schema_name=tenant.schema, created_at=clock.now()
    )
    # The row comes before the schema: of two that want one slug, the later one waits here, at the cheapest place.
    row.save(force_insert=True)
    models.Domain.objects.create(id=ids.new_id(), tenant=row, domain=host, is_primary=True)
    models.Tenant.objects.filter(pk=tenant.id).update(schema_version=provisioning.create_schema(tenant.id))
    open_stream(tenant.id)


def sign_up(*, slug: str, name: str, email: str, password: str, person_name: str, address: str) -> dtos.SignedUp:
    """Make a tenant for a stranger, whoever has the address already: the owner is a new account that claims it.

    Only somebody who gives the password of the account that has the address gets another tenant of that one. All others see the same,
    after the same work, and the address is written to: with a code, or with the news that somebody tried.
    """
    if not SIGN_UP_OPEN.get():
        raise SignUpClosed
    throttle.take("sign-up", [address], limit=SIGN_UP_LIMIT, per_seconds=SIGN_UP_SECONDS, everywhere=True)
    wanted = _read_wanted(slug=slug, name=name, domain=None)
    spelling = texts.read_email(email)
    _require_free(wanted)
    owner = members.new_user(email=spelling, name=person_name, password=password, is_proved=False)
    uncount = guesses.count_sign_up(email=spelling, address=address)
    proved_at = clock.now()
    person = queries.find_user(spelling)
    known = passwords.opens(person, password) and person is not None
    if known:
        uncount()
    wants_proof = not known and emails.may_send_to(spelling)
    holder = person if known and person is not None else owner
    tenant = _found(wanted, owner=holder, is_new=not known, wants_proof=wants_proof)
    signed_in = dtos.SignedIn(user_id=holder.id, proved_at=proved_at, tenants=(tenant,), email_proved=known)
    return dtos.SignedUp(tenant=tenant, signed_in=signed_in)


def rename(tenant_id: UUID, name: str) -> None:
    """Give a tenant another name.

    :raises NotFound: there is no such tenant.
    :raises InvalidLabel: the name cannot be used.
    """
    with db.public_transaction() as tx:
        if not models.Tenant.objects.filter(pk=tenant_id).update(name=texts.read_label(name, field="name")):
            raise NotFound
        tx.after_commit(queries.forget_remembered)


def suspend(tenant_id: UUID, *, reason: str = "", by: UUID | None = None) -> None:
    """Let nobody in any more."""
    _set_state(tenant_id, models.TenantState.SUSPENDED, TenantSuspended(actor_id=by), reason=reason)


def activate(tenant_id: UUID, *, by: UUID | None = None) -> None:
    """Let the members in again."""
    _set_state(tenant_id, models.TenantState.ACTIVE, TenantActivated(actor_id=by))


def _set_state(tenant_id: UUID, state: models.TenantState, event: Event, *, reason: str = "") -> None:
    row = models.Tenant.objects.filter(pk=tenant_id).first()
    if row is None:
        raise NotFound
    with tenancy.entered(queries.to_tenant(row)), db.public_transaction() as tx:
        rows = models.Tenant.objects.filter(pk=tenant_id).exclude(state__in=[state, models.TenantState.REMOVING])
        if rows.update(state=state, suspended_for=texts.read_message(reason)):
            publish(event)
            if state == models.TenantState.SUSPENDED:
                announce(tenant_id, bond(Bond.TENANT, tenant_id))
        tx.after_commit(queries.forget_remembered)
