"""Tables of identity (all in schema ``public``) that hang on no tenant: what new ones are made from, and which are deleted."""

from django.db import models

from bitvault.kernel.models import PublicModel, id_field

OPERATOR_PERMISSIONS = (
    ("impersonate", "Can look at tenants as one of their members"),
    ("suspend_tenant", "Can suspend tenants and let them in again"),
    ("view_installation", "Can view figures and findings of the installation"),
)
"""What operators are allowed that is no table's; Django keeps them with the table of tenants."""


class TenantState(models.TextChoices):
    """Whether a tenant's members are let in."""

    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
    REMOVING = "removing", "Being deleted"


class DeletionState(models.TextChoices):
    """How far the deletion of a tenant is."""

    WAITING = "waiting", "Waiting"
    WITHDRAWN = "withdrawn", "Taken back"
    REMOVING = "removing", "Under way"
    DONE = "done", "Done"


class TenantDeletion(PublicModel):
    """That a tenant is to be deleted, or was. It outlives the tenant: operators read here what went, when and why."""

    id = id_field()
    tenant_id = models.UUIDField()
    slug = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=16, choices=DeletionState.choices, default=DeletionState.WAITING)
    requested_by = models.UUIDField()
    """An owner, or an operator."""
    is_by_operator = models.BooleanField()
    reason = models.CharField(max_length=500, blank=True)
    requested_at = models.DateTimeField()
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    """When nobody was let in any more: addresses of the store that were signed before are good for minutes yet."""
    step = models.CharField(max_length=32, blank=True, default="")
    """The last step that is done."""
    held_until = models.DateTimeField(null=True)
    """Until when one worker has it."""
    people_count = models.IntegerField(null=True)
    ended_at = models.DateTimeField(null=True)
    """When it was done or taken back."""

    class Meta:
        db_table = "identity_tenant_deletion"
        constraints = [
            # Is this tenant to be deleted?
            models.UniqueConstraint(
                fields=["tenant_id"],
                condition=models.Q(state__in=["waiting", "removing"]),
                name="identity_tenant_deletion_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=DeletionState.values), name="identity_tenant_deletion_state_known"
            ),
        ]
        indexes = [
            # Which are due?
            models.Index(
                fields=["due_at"],
                name="identity_tenant_deletion_due",
                condition=models.Q(state__in=["waiting", "removing"]),
            ),
        ]


class TenantTemplate(PublicModel):
    """The SQL that makes a new tenant's schema, kept with the hash of the migrations that it was dumped from."""

    schema_version = models.CharField(max_length=64, primary_key=True)
    statements = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "identity_tenant_template"
