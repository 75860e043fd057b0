"""Tables of the stores themselves: which there are beside the installation's own, what each can do, and which tenant is placed where.

The installation's own store is that of the environment. It has no row here: wherever a store is named by id, ``NULL`` is that one.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from bitvault.kernel.models import PublicModel, id_field


class Addressing(models.TextChoices):
    """Where the bucket stands in an address."""

    PATH = "path", _("in the path (https://store/bucket/key)")
    VIRTUAL = "virtual", _("in the host name (https://bucket.store/key)")


class Encryption(models.TextChoices):
    """What the store is asked to encrypt objects with."""

    NONE = "", _("as the bucket does by itself")
    STORE = "AES256", _("with the store's own key (SSE-S3)")
    KMS = "aws:kms", _("with a key of its key service (SSE-KMS)")


class Store(PublicModel):
    """An object store beside the installation's own, for tenants that are placed there."""

    id = id_field()
    name = models.CharField(_("name"), max_length=60, unique=True)
    endpoint_url = models.CharField(
        _("endpoint"), max_length=300, help_text=_("Where this installation calls it: https://host[:port].")
    )
    public_endpoint_url = models.CharField(
        _("public endpoint"),
        max_length=300,
        blank=True,
        help_text=_("Where browsers and devices send files. Empty: the endpoint."),
    )
    download_endpoint_url = models.CharField(
        _("endpoint of downloads"),
        max_length=300,
        blank=True,
        help_text=_("Where they fetch files, if elsewhere. Empty: the public endpoint."),
    )
    region = models.CharField(_("region"), max_length=60, default="us-east-1")
    bucket = models.CharField(_("bucket"), max_length=63)
    prefix = models.CharField(
        _("prefix"),
        max_length=200,
        blank=True,
        help_text=_("What keys begin with in the bucket; empty, or ends with /."),
    )
    addressing = models.CharField(_("addressing"), max_length=8, choices=Addressing.choices, default=Addressing.PATH)
    encryption = models.CharField(
        _("encryption"), max_length=8, choices=Encryption.choices, default=Encryption.NONE, blank=True
    )
    kms_key = models.CharField(
        _("key of the key service"),
        max_length=300,
        blank=True,
        help_text=_("For SSE-KMS. {tenant} in it becomes the tenant's id: then each tenant has a key of its own."),
    )
    storage_class = models.CharField(
        _("storage class"), max_length=40, blank=True, help_text=_("As the store names it. Empty: its default.")
    )
    access_key_id = models.CharField(_("access key"), max_length=200)
    sealed_secret = models.TextField(editable=False)
    """The secret of the access key (``kernel.sealing``)."""
    changed_at = models.DateTimeField(editable=False)

    class Meta:
        db_table = "storage_store"
        verbose_name = _("object store")
        verbose_name_plural = _("object stores")
        constraints = [
            # Two rows for one place would let each take the other's objects for orphans.
            models.UniqueConstraint(fields=["endpoint_url", "bucket", "prefix"], name="storage_store_place"),
        ]

    def __str__(self) -> str:
        return self.name


class Placement(PublicModel):
    """A store in which a tenant has objects, or may have. A tenant that has no current one brings its bytes to the installation's own."""

    id = id_field()
    tenant_id = models.UUIDField(_("tenant"))
    store = models.ForeignKey(
        Store, on_delete=models.PROTECT, related_name="placements", verbose_name=_("object store")
    )
    is_current = models.BooleanField(_("takes new bytes"))
    """Whether new bytes go there."""
    placed_at = models.DateTimeField(_("placed"))

    class Meta:
        db_table = "storage_placement"
        verbose_name = _("placement of a tenant")
        verbose_name_plural = _("placements of tenants")
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "store"], name="storage_placement_once"),
            # Where do this tenant's new bytes go? To one place.
            models.UniqueConstraint(
                fields=["tenant_id"], name="storage_placement_current", condition=models.Q(is_current=True)
            ),
        ]

    def __str__(self) -> str:
        return str(self.tenant_id)


class MoveState(models.TextChoices):
    """The life of a move."""

    COPYING = "copying", _("copying; nothing is switched yet")
    SWITCHED = "switched", _("switched; what came meanwhile follows")
    DONE = "done", _("done")
    CANCELED = "canceled", _("canceled")


class Move(PublicModel):
    """The move of a tenant's objects to one store."""

    id = id_field()
    tenant_id = models.UUIDField(_("tenant"))
    store = models.ForeignKey(Store, null=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("to"))
    """Where to; ``NULL``: the installation's own store."""
    state = models.CharField(_("state"), max_length=12, choices=MoveState.choices, default=MoveState.COPYING)
    total_count = models.BigIntegerField(_("objects"))
    total_bytes = models.BigIntegerField(_("bytes"))
    """What was elsewhere when it began."""
    copied_count = models.BigIntegerField(_("objects copied"), default=0)
    copied_bytes = models.BigIntegerField(_("bytes copied"), default=0)
    left_count = models.BigIntegerField(_("objects left behind"), default=0)
    """Objects that could not be copied: they are missing, or not what their rows say; what was found last."""
    started_by = models.UUIDField(null=True)
    started_at = models.DateTimeField(_("begun"))
    switched_at = models.DateTimeField(_("switched"), null=True)
    finished_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        db_table = "storage_move"
        verbose_name = _("move of a tenant")
        verbose_name_plural = _("moves of tenants")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id"], name="storage_move_one", condition=models.Q(finished_at__isnull=True)
            ),
        ]
        indexes = [models.Index(fields=["tenant_id", "-started_at"], name="storage_move_of_tenant")]

    def __str__(self) -> str:
        return str(self.tenant_id)


class Provider(PublicModel):
    """What an object store was found able to do."""

    name = models.TextField(primary_key=True)
    """Endpoint, bucket and prefix."""
    store = models.OneToOneField(Store, null=True, on_delete=models.CASCADE, related_name="provider")
    """``NULL``: the installation's own, or one that it had."""
    abilities = models.JSONField()
    """``{ability: bool}`` as ``conformance`` probed them."""
    is_fit = models.BooleanField()
    """Whether it has every ability without which BitVault must not use it."""
    probed_at = models.DateTimeField()

    class Meta:
        db_table = "storage_provider"
