"""The demo tenant of an embedded stack: an owner and a member with credentials that a file keeps."""

import json
import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from apps.identity import models, queries
from apps.identity.errors import InvalidToken
from apps.identity.operations import members, passwords, tenants, tokens
from bitvault.kernel import clock, tenancy
from bitvault.kernel.actor import ALL_SCOPES, Actor, Role
from bitvault.kernel.tenancy import Tenant

SLUG = "demo"
OWNER_EMAIL = "owner@demo.test"
MEMBER_EMAIL = "member@demo.test"
TOKEN_LIFETIME = timedelta(days=365)


class DemoTaken(Exception):
    """The address of the demo belongs to a tenant that this command did not make, or that is suspended."""


def ensure(kept: dict[str, Any] | None) -> tuple[dict[str, Any], str]:
    """Make sure that the demo can be signed in to; returns its credentials, and in one sentence what was done.

    :param kept: what the file holds, if there is one; it stays as it is while it works.
    :raises DemoTaken: the tenant is somebody else's.
    """
    row = models.Tenant.objects.filter(slug=SLUG).first()
    if row is None:
        password = _new_password()
        made = tenants.create(
            slug=SLUG,
            name="Demo",
            owner_email=OWNER_EMAIL,
            owner_password=_known_owner_password(password),
            owner_name="Olivia Owner",
            domain=None,
        )
        tenant = Tenant(id=made.id, slug=made.slug, name=made.name)
        return _credentials(tenant, password), "The demo tenant is made."
    tenant = _require_own(row)
    if kept is not None and _works(kept, tenant) and _works(kept.get("member"), tenant):
        return kept, "The demo tenant is there and its credentials work."
    password = _new_password()
    _set_password(tenant, OWNER_EMAIL, password)
    return (
        _credentials(tenant, password),
        "The demo tenant was there, its credentials were lost: the passwords and tokens in the file are new ones.",
    )


def _known_owner_password(password: str) -> str:
    """Give the owner's account, when it outlived its tenant, the password that the new tenant asks it for."""
    person = queries.find_user(OWNER_EMAIL)
    if person is not None:
        passwords.replace(person=person, new_password=password, by=None)
    return password


def _require_own(row: models.Tenant) -> Tenant:
    if row.state != models.TenantState.ACTIVE:
        raise DemoTaken(f"The tenant “{SLUG}” is suspended; activate it in the admin first.")
    owned = models.Membership.objects.filter(tenant=row, user__email=OWNER_EMAIL, role=Role.OWNER.value).exists()
    if not owned:
        raise DemoTaken(f"The tenant “{SLUG}” was not made by this command, so it is left alone.")
    return queries.to_tenant(row)


def _works(kept: Any, tenant: Tenant) -> bool:
    """Tell whether e-mail, password and token of the file open the tenant."""
    if not isinstance(kept, dict) or not all(isinstance(kept.get(key), str) for key in ("email", "password", "token")):
        return False
    person = queries.find_user(kept["email"])
    if person is None or not passwords.opens(person, kept["password"]):
        return False
    try:
        actor = queries.get_actor_by_token(kept["token"], address=None)
    except InvalidToken:
        return False
    return actor.user_id == person.id and actor.tenant.id == tenant.id


def _credentials(tenant: Tenant, owner_password: str) -> dict[str, Any]:
    """Make sure of the member, and give both people new tokens."""
    member_password = _new_password()
    person = queries.find_user(MEMBER_EMAIL)
    if person is None or not models.Membership.objects.filter(tenant_id=tenant.id, user=person).exists():
        members.add(
            tenant=tenant,
            email=MEMBER_EMAIL,
            role=Role.MEMBER,
            name="Max Member",
            password=member_password,
            added_by=None,
        )
    if person is not None:
        _set_password(tenant, MEMBER_EMAIL, member_password)
    return {
        "tenant": SLUG,
        "email": OWNER_EMAIL,
        "password": owner_password,
        "token": _new_token(tenant, OWNER_EMAIL),
        "member": {
            "email": MEMBER_EMAIL,
            "password": member_password,
            "token": _new_token(tenant, MEMBER_EMAIL),
        },
    }


def _set_password(tenant: Tenant, email: str, password: str) -> None:
    with tenancy.entered(tenant):
        passwords.replace(person=models.User.objects.get(email=email), new_password=password, by=None)


def _new_token(tenant: Tenant, email: str) -> str:
    user_id, role = models.Membership.objects.values_list("user_id", "role").get(tenant_id=tenant.id, user__email=email)
    actor = Actor(tenant=tenant, user_id=UUID(str(user_id)), role=Role(role))
    with tenancy.entered(tenant):
        made = tokens.create(actor=actor, name="Demo", scopes=ALL_SCOPES, expires_at=clock.now() + TOKEN_LIFETIME)
    return made.token


def _new_password() -> str:
    return secrets.token_urlsafe(12)


def read(path: Path) -> dict[str, Any] | None:
    """Read the file of credentials; a missing or broken one reads as none."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return kept if isinstance(kept, dict) else None


def write(path: Path, content: dict[str, Any]) -> None:
    """Write the file, readable by its owner only, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    growing = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(growing, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(content, indent=2) + "\n")
    growing.replace(path)
