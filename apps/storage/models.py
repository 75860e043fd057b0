"""Tables of storage: what lies in the object store, and every attempt to bring something there.

A row always comes first: no URL is signed before the attempt's row is committed, so whatever a URL puts into the store can be found
and swept, by the attempt's own prefix.
"""

from django.db import models

from apps.storage.models_of_copies import StoreCopy as StoreCopy  # noqa: PLC0414
from apps.storage.models_of_stores import Move as Move  # noqa: PLC0414
from apps.storage.models_of_stores import Placement as Placement  # noqa: PLC0414 - Django looks for models here
from apps.storage.models_of_stores import Provider as Provider  # noqa: PLC0414
from apps.storage.models_of_stores import Store as Store  # noqa: PLC0414
from apps.storage.parts import PART_LIMIT
from bitvault.kernel.models import PublicModel, TenantModel, id_field


class BlobState(models.TextChoices):
    """The life of a blob; it only goes forward."""

    PENDING = "pending"
    """Verified in the store; whether a version is made of it is not written here yet, or was decided against."""
    LIVE = "live"
    CONDEMNED = "condemned"
    """Nothing refers to it; it is never revived, and goes once the last URL to it is dead."""
    GONE = "gone"


class ScanState(models.TextChoices):
    """How it stands with the scanning of a content (``kernel.scanning``)."""

    SCANNING = "scanning"
    CLEAN = "clean"
    INFECTED = "infected"
    UNSCANNED = "unscanned"
    RELEASED = "released"


class Blob(TenantModel):
    """Verified bytes in the store. Never changed; its key was used by one attempt and is never used again."""

    id = id_field()
    key = models.TextField(unique=True, db_collation="C")  # as stores sort their lists
    size_bytes = models.BigIntegerField()
    content_hash = models.BinaryField(max_length=32)
    part_size_bytes = models.BigIntegerField()
    part_hashes = models.BinaryField()
    """The digests of its parts, 32 bytes each: what a later version of the same file need not send again."""
    state = models.CharField(max_length=16, choices=BlobState.choices, default=BlobState.PENDING)
    created_at = models.DateTimeField()
    unreferenced_at = models.DateTimeField(null=True)
    """Since when the stream tells of no version that holds it; an upload that takes it over begins that anew. ``NULL`` while one does."""
    has_drifted = models.BooleanField(db_default=False)
    """Whether it was found to be unreferenced by comparing tables, not told so by an event: many of these at once are a fault."""
    condemned_at = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    """When its bytes were last read and hashed (``scrubbing``); ``NULL``: when it was uploaded."""
    damaged_at = models.DateTimeField(null=True)
    """When its bytes were found to be others: it is in quarantine, neither read nor built upon."""
    scan_state = models.CharField(max_length=12, choices=ScanState.choices, db_default=ScanState.UNSCANNED)
    """What a scanner for malware said of its content; which of the states are read, the tenant's rule says (``withholding``)."""
    store_id = models.UUIDField(null=True)
    """The store that it lies in (``Store``); ``NULL``: the installation's own."""

    class Meta:
        db_table = "storage_blob"
        indexes = [
            # What has nothing referred to for longest?
            models.Index(
                fields=["unreferenced_at", "id"],
                name="storage_blob_unreferenced",
                condition=models.Q(unreferenced_at__isnull=False, state__in=[BlobState.PENDING, BlobState.LIVE]),
            ),
            # Which condemned ones can go?
            models.Index(
                fields=["condemned_at", "id"],
                name="storage_blob_condemned",
                condition=models.Q(state=BlobState.CONDEMNED),
            ),
            # Which are gone long enough to be forgotten?
            models.Index(fields=["gone_at"], name="storage_blob_gone", condition=models.Q(state=BlobState.GONE)),
            # Which blobs have this content?
            models.Index(fields=["content_hash"], name="storage_blob_content"),
            # Which contents have waited for their scan for long?
            models.Index(
                fields=["created_at"],
                name="storage_blob_scanning",
                condition=models.Q(scan_state=ScanState.SCANNING),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(size_bytes__gte=0, part_size_bytes__gt=0), name="storage_blob_figures"
            ),
            models.CheckConstraint(condition=models.Q(state__in=BlobState.values), name="storage_blob_state"),
            models.CheckConstraint(condition=models.Q(scan_state__in=ScanState.values), name="storage_blob_scan_state"),
        ]


class UploadState(models.TextChoices):
    """The life of an attempt."""

    STARTED = "started"
    """Parts may be signed and sent."""
    COMPLETING = "completing"
    """The bytes are verified and frozen; Files may make a version of them at any moment."""
    COMMITTED = "committed"
    ABORTED = "aborted"
    EXPIRED = "expired"


class Upload(TenantModel):
    """One attempt to bring a file to the store."""

    id = id_field()
    user_id = models.UUIDField()
    state = models.CharField(max_length=16, choices=UploadState.choices, default=UploadState.STARTED)
    size_bytes = models.BigIntegerField()
    part_size_bytes = models.BigIntegerField()
    part_count = models.IntegerField()
    part_hashes = models.BinaryField(default=b"")
    """The digests announced so far, 32 bytes each, zeros where none is; empty once the blob has them."""
    resigned = models.JSONField(default=dict)
    """When parts were announced anew with another digest: ``{number: time}``. What the store got before then does not count."""
    media_type = models.TextField()
    destination = models.JSONField()
    """Where the file is to go. Files gave it and gets it back; here it means nothing."""
    client_modified_at = models.DateTimeField(null=True)
    store_upload_id = models.TextField(default="", blank=True)
    """The store's own id of a multipart upload, once there is one."""
    base_blob_id = models.UUIDField(null=True)
    """A blob whose equal parts the store may copy."""
    known_blob_id = models.UUIDField(null=True)
    """A live blob with exactly the announced content, which the sender can read: nothing needs to be sent."""
    blob_id = models.UUIDField(null=True)
    """What the attempt led to, once its bytes are verified."""
    completion = models.JSONField(null=True)
    """What a worker was asked to go on with: ``{handed_at, asked_at}``, the second when the store was asked and nobody waited for its
    answer; ``{failure: {code, detail, facts}}`` once it has ended without a blob. ``None`` for nearly every upload."""
    store_id = models.UUIDField(null=True)
    """The store that its bytes go to, wherever its tenant is placed meanwhile; ``NULL``: the installation's own."""
    boot_id = models.UUIDField(null=True)
    """The boot of the machine in which it may have brought bytes, where those are flushed by us (``durability``)."""
    has_strays = models.BooleanField(default=False)
    """Whether its URLs may have put more into the store than the blob."""
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    sweep_at = models.DateTimeField()
    """When the sweeper looks at this row next."""
    swept_at = models.DateTimeField(null=True)
    """When it was certain that nothing of it but the blob is left in the store."""

    class Meta:
        db_table = "storage_multipart_upload"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    size_bytes__gte=0, part_size_bytes__gt=0, part_count__gte=1, part_count__lte=PART_LIMIT
                ),
                name="storage_upload_figures",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=UploadState.values),
                name="storage_upload_state",
            ),
            models.CheckConstraint(
                condition=models.Q(blob_id__isnull=False)
                | ~models.Q(state__in=[UploadState.COMPLETING, UploadState.COMMITTED]),
                name="storage_upload_verified_has_blob",
            ),
        ]
        indexes = [
            # Which attempts are due for the sweeper?
            models.Index(fields=["sweep_at"], name="storage_upload_due"),
            # Which attempts may still need a blob? Of a column that no commit changes.
            models.Index(fields=["created_at"], name="storage_upload_open", condition=models.Q(swept_at__isnull=True)),
        ]


class Sweep(PublicModel):
    """What the last sweep of a tenant's uploads left undone: counted there and then, so that whoever asks reads one table."""

    tenant_id = models.UUIDField(primary_key=True)
    overdue_count = models.BigIntegerField()
    """Attempts whose time was over and that could not be swept: the store did not answer, or one failed."""
    uncollected_count = models.BigIntegerField(db_default=0)
    """Blobs that should have been condemned or deleted an hour ago."""
    swept_at = models.DateTimeField()

    class Meta:
        db_table = "storage_sweep"


class DeletionHold(PublicModel):
    """Somebody copies objects and needs them all to stay: until this is released or over, nothing that a row named is deleted."""

    id = id_field()
    reason = models.TextField()
    held_until = models.DateTimeField()
    """By the database's clock. Whoever holds renews it; whoever died has it end by itself."""

    class Meta:
        db_table = "storage_deletion_hold"


class BlobReference(TenantModel):
    """A version that holds a blob, as the stream tells it: a hint for the collector, which asks Files again before it deletes."""

    version_id = models.UUIDField(primary_key=True)
    blob_id = models.UUIDField()

    class Meta:
        db_table = "storage_blob_reference"
        indexes = [
            # Which versions hold this blob?
            models.Index(fields=["blob_id"], name="storage_blob_reference_blob"),
        ]


class RebuiltReference(TenantModel):
    """A reference of those that are being rebuilt beside the live ones."""

    version_id = models.UUIDField(primary_key=True)
    blob_id = models.UUIDField()

    class Meta:
        db_table = "storage_rebuilt_reference"


class DerivedObject(TenantModel):
    """Something small that was made of content and lies in the store beside it: a preview. Kept once for all blobs of the same content."""

    id = id_field()
    content_hash = models.BinaryField(max_length=32)
    name = models.CharField(max_length=32)
    """What it is of that content; whoever makes it chooses the names."""
    size_bytes = models.BigIntegerField()
    digest = models.BinaryField(max_length=32, null=True)
    """SHA-256 of its bytes; ``NULL`` where it is older than this column and was not read again yet."""
    media_type = models.TextField()
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    """When its bytes were in the store; ``NULL`` before, and for good where whoever made it died."""
    verified_at = models.DateTimeField(null=True)
    """When its bytes were last read and hashed (``scrubbing_derived``); ``NULL``: when it was made."""
    store_id = models.UUIDField(null=True)

    class Meta:
        db_table = "storage_derived"
        constraints = [
            # Where is this of this content? One of each is ready.
            models.UniqueConstraint(
                fields=["content_hash", "name"],
                name="storage_derived_unique",
                condition=models.Q(ready_at__isnull=False),
            ),
            models.CheckConstraint(condition=models.Q(size_bytes__gte=0), name="storage_derived_figures"),
        ]
        indexes = [
            # Which were never finished?
            models.Index(
                fields=["created_at"], name="storage_derived_unfinished", condition=models.Q(ready_at__isnull=True)
            ),
        ]


class Archive(TenantModel):
    """A zip of blobs that was asked for: made by a job, fetched by whoever asked, gone a while later."""

    id = id_field()
    purpose = models.JSONField()
    """What the caller gets back with it; means nothing here."""
    filename = models.TextField()
    size_bytes = models.BigIntegerField()
    """What it has at most; once it is ready, what it has."""
    try_id = models.UUIDField(null=True)
    """The try that makes it, or has made it: its object lies under this id."""
    store_id = models.UUIDField(null=True)
    """The store that this try writes to."""
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "storage_archive"
        constraints = [models.CheckConstraint(condition=models.Q(size_bytes__gte=0), name="storage_archive_figures")]
        indexes = [
            # Which have expired?
            models.Index(fields=["expires_at"], name="storage_archive_expired"),
            # Is this object that of an archive?
            models.Index(fields=["try_id"], name="storage_archive_by_try"),
        ]


class RunKind(models.TextChoices):
    """What a run does."""

    GC = "gc", "collection"
    RECONCILE = "reconcile"
    SCRUB = "scrub"


class RunState(models.TextChoices):
    """How a run stands."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped", "stopped by a brake"
    FAILED = "failed"


class StoreRun(PublicModel):
    """A run over a tenant's bytes that did, or found, something."""

    id = id_field()
    tenant_id = models.UUIDField()
    kind = models.CharField(max_length=16, choices=RunKind.choices)
    state = models.CharField(max_length=16, choices=RunState.choices, default=RunState.RUNNING)
    is_dry = models.BooleanField(default=False)
    """Whether it only looked."""
    counts = models.JSONField(default=dict)
    """What it did, by name; objects and bytes."""
    reason = models.TextField(default="", blank=True)
    """Why it stopped, when it did."""
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "storage_run"
        indexes = [
            # What was the last run of a kind of this tenant?
            models.Index(fields=["tenant_id", "kind", "-started_at"], name="storage_run_of_tenant"),
            # Which runs are recent, or old enough to be forgotten?
            models.Index(fields=["started_at"], name="storage_run_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.started_at:%Y-%m-%d %H:%M}"


class FindingKind(models.TextChoices):
    """What was found."""

    ORPHAN = "orphan", "object that nothing in the database names"
    LEFTOVER = "leftover", "object of a blob that was deleted"
    MISSING = "missing", "blob whose object is not there"
    WRONG_SIZE = "wrong_size", "object of another size than its blob"
    ABANDONED = "abandoned", "unfinished multipart upload of no open attempt"
    DRIFT = "drift", "count of references that differed from the tables"
    CORRUPT = "corrupt", "object whose bytes are not those of its blob"
    RECOVERED = "recovered", "object that was damaged and is whole again"
    HELD = "held", "condemned blob that a file holds"
    DERIVED = "derived", "damaged preview, made anew when it is asked for"


class StoreFinding(PublicModel):
    """One thing that a run found. Keys and ids, never names."""

    id = id_field()
    run = models.ForeignKey(StoreRun, on_delete=models.CASCADE, related_name="findings")
    kind = models.CharField(max_length=16, choices=FindingKind.choices)
    key = models.TextField(default="", blank=True)
    blob_id = models.UUIDField(null=True)
    size_bytes = models.BigIntegerField(null=True)
    detail = models.TextField(default="", blank=True)
    outcome = models.TextField(default="reported")
    """What was done about it: ``reported``, ``deleted``, ``quarantined``, ``corrected``, ``released``, ``dropped``."""
    found_at = models.DateTimeField()

    class Meta:
        db_table = "storage_finding"
        indexes = [
            # What of this kind was found lately?
            models.Index(fields=["kind", "-found_at"], name="storage_finding_by_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key or self.blob_id}"
