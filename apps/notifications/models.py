"""Tables of notifications (in each tenant's schema): what happened, once, and how each person has it.

No row is written for a recipient on the way of an event: who hears of an entry is judged when it is read, and by jobs that send mail.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from bitvault.kernel.models import TenantModel, id_field

HEADS = Q(head_id__isnull=True)


class Entry(TenantModel):
    """An event, as people are told of it. Of several in a row by one person in one place, the first is their head and stands for all."""

    id = models.UUIDField(primary_key=True)
    """The event's own id: an event that is read again is known."""
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=16)
    actor_id = models.UUIDField(null=True)
    audience_id = models.UUIDField(null=True)
    """The principal that it concerns: a person, a group, ``EVERYONE_ID``, ``ADMINISTRATORS_ID``; others hear of it by following."""
    node_id = models.UUIDField(null=True)
    folder_id = models.UUIDField(null=True)
    """The folder in which it happened."""
    is_folder = models.BooleanField(default=False)
    subject_id = models.UUIDField(null=True)
    """What it is about that is no node: a session, an invitation, a person."""
    name = models.TextField(default="")
    facts = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    head_id = models.UUIDField(null=True)
    group_on = models.UUIDField(null=True)
    """Of a head: the folder, file or link in which further ones join it; ``NULL``: none do."""
    count = models.IntegerField(default=1)
    last_seq = models.BigIntegerField()
    last_at = models.DateTimeField()
    ancestor_ids = ArrayField(models.UUIDField(), null=True)
    """Of a head: the folders that it lies in, and its own node; ``NULL`` until the job that tells of it has asked Files."""
    is_told = models.BooleanField(default=False)
    """Of a head: mails that it causes are written down."""

    class Meta:
        db_table = "notifications_entry"
        indexes = [
            # What happened in the tenant, newest first?
            models.Index(fields=["-last_seq", "-id"], condition=HEADS, name="notifications_entry_latest"),
            # What concerns this principal, newest first?
            models.Index(
                fields=["audience_id", "-last_seq"],
                condition=HEADS & Q(audience_id__isnull=False),
                name="notifications_entry_audience",
            ),
            # What happened below one of these folders?
            GinIndex(fields=["ancestor_ids"], condition=HEADS, name="notifications_entry_place"),
            # What happened to this node?
            models.Index(fields=["node_id", "-seq"], name="notifications_entry_node"),
            # What did this person do, newest first? Which group of theirs is open here?
            models.Index(fields=["actor_id", "-last_seq"], condition=HEADS, name="notifications_entry_actor"),
            # Which mails are not written down yet?
            models.Index(fields=["seq"], condition=HEADS & Q(is_told=False), name="notifications_entry_untold"),
            # Who sent this invitation?
            models.Index(fields=["subject_id"], condition=Q(kind="invited"), name="notifications_entry_invited"),
            # What is old enough to be forgotten?
            models.Index(fields=["occurred_at"], name="notifications_entry_age"),
        ]


class Reader(TenantModel):
    """How far somebody has read, and when they get mail. Who has none has read nothing and has nothing coming."""

    user_id = models.UUIDField(primary_key=True)
    read_seq = models.BigIntegerField(default=0)
    """Everything up to here is read."""
    wants_digest = models.BooleanField(default=False)
    """Something has come for the next one."""
    digest_seq = models.BigIntegerField(default=0)
    """What is up to here was in one."""
    digest_on = models.DateField(null=True)
    """Their own day on which they last had one."""
    weekly_since = models.DateTimeField(null=True)
    """Since when something waits for the next weekly digest."""
    weekly_seq = models.BigIntegerField(db_default=0)
    """What is up to here was in one."""
    quiet_from = models.TimeField(null=True)
    quiet_to = models.TimeField(null=True)
    """Between the two, by their own clock, they get no mail; both or neither are set. It may be across midnight."""

    class Meta:
        db_table = "notifications_reader"
        indexes = [
            # Whose digest is coming?
            models.Index(fields=["user_id"], condition=Q(wants_digest=True), name="notifications_reader_digest"),
            # Whose weekly digest is coming?
            models.Index(
                fields=["user_id"], condition=Q(weekly_since__isnull=False), name="notifications_reader_weekly"
            ),
        ]


class ReadMark(TenantModel):
    """An entry above its reader's ``read_seq`` that they have read, as far as it had come."""

    pk = models.CompositePrimaryKey("user_id", "entry_id")
    user_id = models.UUIDField()
    entry_id = models.UUIDField()
    read_seq = models.BigIntegerField()

    class Meta:
        db_table = "notifications_read_mark"


class Preference(TenantModel):
    """How somebody wants to be told of a topic, where it is not the usual way."""

    pk = models.CompositePrimaryKey("user_id", "topic")
    user_id = models.UUIDField()
    topic = models.CharField(max_length=16)
    browser = models.BooleanField()
    mail = models.CharField(max_length=8)
    push = models.BooleanField(null=True)
    """``NULL``: chosen before there was a choice, so the usual way."""
    since_seq = models.BigIntegerField(db_default=0)
    """What happened up to here is in no digest of this choice: it was told before, or was not wanted."""

    class Meta:
        db_table = "notifications_preference"


class Subscription(TenantModel):
    """A node that somebody follows, or mutes, with all below it."""

    id = id_field()
    user_id = models.UUIDField()
    node_id = models.UUIDField()
    follows = models.BooleanField()
    since_seq = models.BigIntegerField()
    """What happened up to here is not told."""
    created_at = models.DateTimeField()

    class Meta:
        db_table = "notifications_subscription"
        constraints = [
            # What does this person follow and mute?
            models.UniqueConstraint(fields=["user_id", "node_id"], name="notifications_subscription_once"),
        ]
        indexes = [
            # Who follows this node? Read in the order of people, page by page.
            models.Index(fields=["node_id", "user_id"], name="notifications_followers"),
        ]


class Browser(TenantModel):
    """A browser that somebody is told in by its push service, while they are signed in there."""

    id = id_field()
    user_id = models.UUIDField()
    credential_id = models.UUIDField()
    """The session that named it, or the token: after its end nothing is sent, until another one of the same person names it again."""
    address_hash = models.BinaryField(max_length=32)
    """SHA-256 of the address at the push service: who presents that has the browser."""
    target = models.TextField()
    """The address and the browser's keys, sealed."""
    agent = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    renewed_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    """When its push service last took something."""
    failing_since = models.DateTimeField(null=True)
    """The first of the tries that have failed since."""

    class Meta:
        db_table = "notifications_browser"
        constraints = [
            # Is this browser known? Whoever names it has it: nobody else is told in it any more.
            models.UniqueConstraint(fields=["address_hash"], name="notifications_browser_once"),
        ]
        indexes = [
            # In which browsers is this person told?
            models.Index(fields=["user_id"], name="notifications_browser_user"),
        ]


class Delivery(TenantModel):
    """A mail to somebody, or what is pushed to their browsers, written down once: its row and its jobs are of one transaction."""

    id = id_field()
    user_id = models.UUIDField()
    key = models.CharField(max_length=80)
    """The entry that it tells of, or the day of a digest; of what is pushed, with ``push:`` before it."""
    way = models.CharField(max_length=8, db_default="mail")
    """``mail`` or ``push``."""
    entry_id = models.UUIDField(null=True)
    from_seq = models.BigIntegerField(default=0)
    to_seq = models.BigIntegerField(default=0)
    """Of a digest: what it tells of, after the one and up to the other."""
    is_held = models.BooleanField(db_default=False)
    """It waits for the end of quiet hours, and has no job yet."""
    batch_id = models.UUIDField(null=True)
    """It was held: the delivery that tells of it."""
    created_at = models.DateTimeField()

    class Meta:
        db_table = "notifications_delivery"
        constraints = [
            # Was this person told of it?
            models.UniqueConstraint(fields=["user_id", "key"], name="notifications_delivery_unique"),
        ]
        indexes = [
            # What is old enough to be forgotten?
            models.Index(fields=["created_at"], name="notifications_delivery_age"),
            # Whose mails wait for the end of quiet hours?
            models.Index(fields=["user_id"], condition=Q(is_held=True), name="notifications_delivery_held"),
            # What does this mail tell of?
            models.Index(fields=["batch_id"], condition=Q(batch_id__isnull=False), name="notifications_delivery_batch"),
        ]


class Threshold(TenantModel):
    """Up to which part of a quota somebody was told, in percent."""

    scope = models.CharField(max_length=45, primary_key=True)
    percent = models.SmallIntegerField(default=0)

    class Meta:
        db_table = "notifications_threshold"
