"""The table of domains that tenants bring themselves (schema ``public``)."""

from django.db import models

from bitvault.kernel.models import PublicModel, id_field


class DomainState(models.TextChoices):
    """``proved``: the name leads to the tenant, by a row of ``Domain``. ``lost``: it did, and its record was away for too long."""

    PENDING = "pending"
    PROVED = "proved"
    LOST = "lost"


class OwnDomain(PublicModel):
    """A host name that a tenant says is its own, and the record by which it proves that. Several may say so; one proves it."""

    id = id_field()
    tenant = models.ForeignKey("identity.Tenant", on_delete=models.CASCADE)
    domain = models.CharField(max_length=253)
    token = models.CharField(max_length=32)
    """What the record has to hold: random, and of this tenant and name alone."""
    state = models.CharField(max_length=8, choices=DomainState.choices, default=DomainState.PENDING)
    problem = models.CharField(max_length=16, blank=True, default="")
    """What was amiss when it was looked at last; empty: nothing, or it was not yet."""
    created_by = models.UUIDField()
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    proved_at = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    """Of one that is proved: since when its record is away."""
    told_at = models.DateTimeField(null=True)
    """When administrators were told that it is away; it leads here for a day after that at least."""

    class Meta:
        db_table = "identity_own_domain"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "domain"], name="identity_own_domain_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=DomainState.values), name="identity_own_domain_state_known"
            ),
        ]
        indexes = [
            # What is to be looked at again?
            models.Index(fields=["checked_at"], name="identity_own_domain_checked"),
        ]
