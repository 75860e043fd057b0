"""Tables of what is kept although somebody deletes it: legal holds and retention rules, and which nodes they name."""

from django.db import models

from bitvault.kernel.models import TenantModel, id_field


class RetentionKind(models.TextChoices):
    """A hold keeps until it is lifted; a rule keeps for a time, deletes after a time, or both. The values are stored."""

    HOLD = "hold"
    RULE = "rule"


class RetentionTarget(models.TextChoices):
    """What one is about. The values are stored."""

    VAULT = "vault"
    PERSON = "person"
    FOLDER = "folder"
    TAG = "tag"


class RetainedBy(models.TextChoices):
    """Why a node is named. The values are stored."""

    NAMED = "named"
    """It is what the policy is about."""
    TAG = "tag"
    """It has the tag, or has had it."""
    MOVED = "moved"
    """It was moved out of what the policy covers, and stays covered."""


class RetentionPolicy(TenantModel):
    """A legal hold or a retention rule. Lifted ones stay, so that everybody can see what was kept when."""

    id = id_field()
    kind = models.CharField(max_length=4, choices=RetentionKind.choices)
    name = models.TextField()
    reason = models.TextField(default="")
    target = models.CharField(max_length=6, choices=RetentionTarget.choices)
    node_id = models.UUIDField(null=True)
    """The folder, or the personal root of the person."""
    user_id = models.UUIDField(null=True)
    tag_id = models.UUIDField(null=True)
    tag_name = models.TextField(default="")
    """What the tag is called, as the stream tells it."""
    keep_days = models.IntegerField(null=True)
    delete_after_days = models.IntegerField(null=True)
    tells_owner = models.BooleanField(default=False)
    made_by = models.UUIDField()
    made_at = models.DateTimeField()
    covered_at = models.DateTimeField(null=True)
    """When all that had the tag at the beginning was covered."""
    lifted_by = models.UUIDField(null=True)
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "files_retention"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(target=RetentionTarget.VAULT, node_id=None, user_id=None, tag_id=None)
                | models.Q(target=RetentionTarget.PERSON, node_id__isnull=False, user_id__isnull=False, tag_id=None)
                | models.Q(target=RetentionTarget.FOLDER, node_id__isnull=False, user_id=None, tag_id=None)
                | models.Q(target=RetentionTarget.TAG, node_id=None, user_id=None, tag_id__isnull=False),
                name="files_retention_target",
            ),
            models.CheckConstraint(
                condition=models.Q(kind=RetentionKind.HOLD, keep_days=None, delete_after_days=None)
                | models.Q(kind=RetentionKind.RULE, keep_days__gte=1)
                | models.Q(kind=RetentionKind.RULE, delete_after_days__gte=1),
                name="files_retention_days",
            ),
        ]
        indexes = [
            # Which are in force? Nearly always few, often none.
            models.Index(fields=["id"], name="files_retention_in_force", condition=models.Q(lifted_at__isnull=True)),
        ]


class Retained(TenantModel):
    """A node that a policy names: with it all below it is covered."""

    pk = models.CompositePrimaryKey("policy_id", "node_id")
    policy_id = models.UUIDField()
    node_id = models.UUIDField()
    by = models.CharField(max_length=5, choices=RetainedBy.choices)
    since = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    """When it lost the tag: it is kept all the same, and not deleted by the rule any more."""

    class Meta:
        db_table = "files_retained"
        indexes = [
            # Which policies name this node?
            models.Index(fields=["node_id"], name="files_retained_node"),
        ]
