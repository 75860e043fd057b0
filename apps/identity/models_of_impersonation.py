"""The table of operators who look at tenants as one of their members (in schema ``public``)."""

from django.db import models

from bitvault.kernel.models import PublicModel, id_field


class ImpersonationEnd(models.TextChoices):
    """Why one is over."""

    OPERATOR = "operator", "Ended by the operator"
    TIME = "time", "The time was over"
    SESSION = "session", "The session ended"
    REFUSED = "refused", "Not allowed any more"
    TENANT = "tenant", "Ended by the tenant"


class Impersonation(PublicModel):
    """That an operator looks at a tenant as one of its members, or did. What is begun and ended stands in the operators' journal too."""

    id = id_field()
    operator_id = models.UUIDField()
    operator_name = models.CharField(max_length=254)
    """As the tenant was told it."""
    operator_session_id = models.UUIDField()
    """The session at the operators' host that it was begun with: it ends with it."""
    tenant = models.ForeignKey("identity.Tenant", on_delete=models.CASCADE, db_index=False)
    slug = models.CharField(max_length=40)
    member_id = models.UUIDField()
    member_email = models.CharField(max_length=254)
    reason = models.CharField(max_length=500)
    began_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    entered_at = models.DateTimeField(null=True)
    """When the code was exchanged at the tenant's host; none: it was not yet, or never."""
    ended_at = models.DateTimeField(null=True)
    ended_for = models.CharField(max_length=16, choices=ImpersonationEnd.choices, blank=True, default="")

    class Meta:
        db_table = "identity_impersonation"
        constraints = [
            # Whom does this operator look at? One at a time.
            models.UniqueConstraint(
                fields=["operator_id"], condition=models.Q(ended_at=None), name="identity_impersonation_once"
            ),
            models.CheckConstraint(
                condition=models.Q(ended_for__in=["", *ImpersonationEnd.values]),
                name="identity_impersonation_end_known",
            ),
        ]
        indexes = [
            # Who has looked at this tenant?
            models.Index(fields=["tenant", "-id"], name="identity_impersonation_tenant"),
        ]

    def __str__(self) -> str:
        """Name it in the operators' journal."""
        return f"{self.slug}: {self.member_email}"
