"""The small world that every test database holds: two tenants, and people in each of them."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

PASSWORD = "correct horse battery"
SECRET = "s" * 43


@dataclass(frozen=True)
class Person:
    """A member of a tenant, with a token that carries every scope."""

    email: str
    role: str
    number: int
    tenant_number: int

    @property
    def user_id(self) -> UUID:
        return UUID(int=0x0190_0000_0000_7000_8000_000000000000 + self.number)

    @property
    def token_id(self) -> UUID:
        return UUID(int=0x0190_0000_0000_7000_9000_000000000000 + self.number)

    @property
    def token(self) -> str:
        return f"bv_{self.token_id.hex}_{SECRET}"


@dataclass(frozen=True)
class Company:
    number: int
    slug: str
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def id(self) -> UUID:
        return UUID(int=0x0190_0000_0000_7000_A000_000000000000 + self.number)


ACME = Company(
    1,
    "acme",
    {
        "olga": Person("olga@acme.test", "owner", 1, 1),
        "adam": Person("adam@acme.test", "admin", 2, 1),
        "mia": Person("mia@acme.test", "member", 3, 1),
        "vera": Person("vera@acme.test", "viewer", 4, 1),
    },
)
BETA = Company(
    2,
    "beta",
    {
        "boris": Person("boris@beta.test", "owner", 5, 2),
        "mona": Person("mona@beta.test", "member", 6, 2),
    },
)


def build() -> None:
    """Write both tenants into the database that Django is connected to."""
    from django.contrib.auth.hashers import make_password
    from django.db import transaction

    from apps.identity import models, provisioning
    from bitvault.events.outbox import open_stream
    from bitvault.kernel.actor import Scope

    now = datetime.now(UTC)
    password = make_password(PASSWORD)
    for company in (ACME, BETA):
        with transaction.atomic():
            tenant = models.Tenant.objects.create(
                id=company.id,
                slug=company.slug,
                name=company.slug.title(),
                schema_name=f"t_{company.id.hex}",
                schema_version=provisioning.create_schema(company.id),
                created_at=now,
            )
            models.Domain.objects.create(tenant=tenant, domain=f"{company.slug}.localhost", is_primary=True)
            open_stream(company.id)
            for person in company.people.values():
                user = models.User.objects.create(
                    id=person.user_id, email=person.email, name=person.email.split("@")[0].title(), password=password
                )
                models.Membership.objects.create(tenant=tenant, user=user, role=person.role, created_at=now)
                models.ApiToken.objects.create(
                    id=person.token_id,
                    tenant=tenant,
                    user=user,
                    name="tests",
                    secret_hash=hashlib.sha256(SECRET.encode()).digest(),
                    scopes=[scope.value for scope in Scope],
                    created_at=now,
                    expires_at=now + timedelta(days=365),
                )
