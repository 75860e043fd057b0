"""Notifications listen to what people hear of: files, comments, shares, who comes, sign-ins, quotas, files that others were asked for."""

from collections.abc import Sequence

from apps.notifications import recording
from bitvault.events.api import Published, cannot_be_rebuilt, consumes_batch
from bitvault.events.catalog import (
    admin_platform,
    annotations,
    billing,
    domains,
    files,
    identity,
    impersonation,
    links,
    notifications,
    scanning,
    sharing,
    webhooks,
)
from bitvault.kernel import db

cannot_be_rebuilt(
    consumer=recording.CONSUMER,
    because="What happened stands in no snapshot, and what people have read and were told is kept here and derived from nothing.",
)


@consumes_batch(
    recording.CONSUMER,
    files.FolderCreated,
    files.VersionCommitted,
    files.NodeMoved,
    files.NodeLocked,
    files.NodeUnlocked,
    files.NodeTrashed,
    files.NodeRestored,
    files.NodePurged,
    files.RetentionStarted,
    files.RetentionLifted,
    sharing.ShareGranted,
    sharing.AccessRequested,
    identity.InvitationCreated,
    identity.InvitationAccepted,
    identity.SessionStarted,
    identity.TenantDeletionRequested,
    identity.TenantDeletionWithdrawn,
    impersonation.ImpersonationBegan,
    identity.MemberRemoved,
    domains.DomainRecordMissed,
    domains.DomainRecordFound,
    domains.DomainLost,
    billing.QuotaChanged,
    billing.ScopeLimitChanged,
    billing.StatementMade,
    billing.SubscriptionStarted,
    billing.SubscriptionEnded,
    billing.PaymentFailed,
    billing.PaymentReminded,
    billing.PaymentSettled,
    annotations.CommentAdded,
    annotations.CommentAnswered,
    annotations.PersonMentioned,
    links.LinkEnding,
    links.LinkOpened,
    links.SubmissionFinished,
    webhooks.WebhookDisabled,
    admin_platform.SiemExportFailing,
    admin_platform.SiemExportRecovered,
    scanning.MalwareFound,
    scanning.ContentQuarantined,
    scanning.ContentBlocked,
    notifications.LongJobEnded,
)
def keep_entries_current(events: Sequence[Published], tx: db.Transaction) -> None:
    """Write down what happened, a row for each event at most; applying them again changes nothing."""
    recording.record(events)
