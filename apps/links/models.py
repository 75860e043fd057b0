"""Tables of links (in each tenant's schema)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from bitvault.kernel.models import TenantModel, id_field


class LinkKind(models.TextChoices):
    """What whoever holds a link may do."""

    VIEW = "view"
    DOWNLOAD = "download"
    UPLOAD = "upload"
    EDIT = "edit"


class Link(TenantModel):
    """An address by which strangers reach one node and all below it. A link that was ended stays, so that its end can be taken back."""

    id = id_field()
    node_id = models.UUIDField()
    kind = models.CharField(max_length=8, choices=LinkKind.choices)
    name = models.CharField(max_length=120, blank=True)
    """What the people who share the node call it; visitors are not told."""
    slug = models.CharField(max_length=60, blank=True)
    """The chosen end of the address; empty where it is a token."""
    token_hash = models.BinaryField(max_length=32, unique=True)
    """SHA-256 of the end of the address, token or slug."""
    password_hash = models.CharField(max_length=255, blank=True)
    starts_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    """Of a link that takes files: the deadline of its request and the grace after it."""
    download_limit = models.PositiveIntegerField(null=True)
    download_count = models.PositiveIntegerField(default=0)
    """Pairs of a visitor and a version that were let through."""
    created_by = models.UUIDField()
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "links_link"
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=LinkKind.values), name="links_link_kind"),
        ]
        indexes = [
            # Which links lead to this node?
            models.Index(fields=["node_id", "created_at"], name="links_link_node"),
            # Which links has this person made, newest first?
            models.Index(fields=["created_by", "-id"], name="links_link_maker"),
        ]


class Action(models.TextChoices):
    """What a visitor did."""

    OPENED = "opened"
    REFUSED = "refused"
    DOWNLOADED = "downloaded"


class Access(TenantModel):
    """Something that a visitor did through a link. Rows go with the link."""

    id = id_field()
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="+", db_index=False)
    action = models.CharField(max_length=10, choices=Action.choices)
    accessed_at = models.DateTimeField()
    node_id = models.UUIDField()
    version_id = models.UUIDField(null=True)
    visitor = models.BinaryField(max_length=16)
    """Tells two visitors of this link apart, and nothing else: a keyed hash of what their browser was given."""
    origin = models.BinaryField(max_length=16)
    """The same of address and program, by which a download is resumed without a cookie."""
    counted = models.BooleanField(default=False)
    """Whether it is one of the link's downloads."""

    class Meta:
        db_table = "links_access"
        constraints = [
            # Has this visitor had this version?
            models.UniqueConstraint(
                fields=["link", "visitor", "version_id"],
                condition=models.Q(counted=True),
                name="links_access_counted_once",
            ),
        ]
        indexes = [
            # What has happened through this link, newest first?
            models.Index(fields=["link", "-id"], name="links_access_newest"),
        ]


class FileRequest(TenantModel):
    """What a link that takes files asks for, and how much it takes."""

    link = models.OneToOneField(Link, on_delete=models.CASCADE, primary_key=True, related_name="request")
    title = models.CharField(max_length=120)
    text = models.TextField(blank=True)
    deadline = models.DateTimeField(null=True)
    grace_hours = models.PositiveSmallIntegerField(default=0)
    """How long after the deadline files are still taken, and marked as late."""
    ask_name = models.BooleanField(default=True)
    ask_email = models.BooleanField(default=False)
    max_file_bytes = models.BigIntegerField(null=True)
    max_files = models.PositiveIntegerField(null=True)
    """Files of one sender."""
    max_total_bytes = models.BigIntegerField(null=True)
    """Bytes of all senders together."""
    accepts = ArrayField(models.CharField(max_length=40), default=list)
    """Endings (``.pdf``) and families (``image/*``) that are taken; none: all are."""
    folder_per_sender = models.BooleanField(default=False)
    received_count = models.PositiveIntegerField(default=0)
    received_bytes = models.BigIntegerField(default=0)

    class Meta:
        db_table = "links_request"


class Submission(TenantModel):
    """A visit of somebody who sends files through a link."""

    id = id_field()
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="+", db_index=False)
    sender_name = models.CharField(max_length=120, blank=True)
    sender_email = models.CharField(max_length=254, blank=True)
    locale = models.CharField(max_length=16, blank=True)
    """The language in which the sender saw the page; the receipt has it."""
    started_at = models.DateTimeField()

    class Meta:
        db_table = "links_submission"
        indexes = [
            # Who has sent something through this link?
            models.Index(fields=["link", "id"], name="links_submission_link"),
        ]


class SentFolder(TenantModel):
    """A folder that a visit has made; its id is chosen before Files makes it, so that it is made once."""

    id = id_field()
    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="+", db_index=False)
    path = models.TextField()
    """Names from the request's folder down, parted by ``/``; empty for the sender's own folder."""
    node_id = models.UUIDField()

    class Meta:
        db_table = "links_sent_folder"
        constraints = [
            # Has this visit made this folder?
            models.UniqueConstraint(fields=["submission", "path"], name="links_sent_folder_once"),
        ]


class SentFile(TenantModel):
    """A file of a visit, from the moment that its upload begins; its id is the upload's."""

    id = models.UUIDField(primary_key=True)
    submission = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="+", db_index=False)
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=255)
    """As the sender calls it; in the folder it may have another one."""
    size_bytes = models.BigIntegerField()
    started_at = models.DateTimeField()
    node_id = models.UUIDField(null=True)
    sent_at = models.DateTimeField(null=True)
    is_told = models.BooleanField(default=False)
    """Whether its sender has a receipt of it, and who shares the folder a notice."""

    class Meta:
        db_table = "links_sent_file"
        indexes = [
            # What has this visit sent, and what has it begun?
            models.Index(fields=["submission", "id"], name="links_sent_file_visit"),
            # What has come through this link, newest first? How much is on its way?
            models.Index(fields=["link", "-id"], name="links_sent_file_link"),
            # Who has sent this file?
            models.Index(fields=["node_id"], name="links_sent_file_node", condition=models.Q(node_id__isnull=False)),
        ]
