"""Writing down what happened: one row for each event at most, whoever hears of it. Runs in the transaction of the consumer's cursor."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from apps.notifications import telling
from apps.notifications.dtos import Kind
from apps.notifications.models import Browser, Entry, Preference, Reader, ReadMark, Subscription
from apps.notifications.topics import ADMINISTRATORS_ID
from bitvault.events.api import Event, Published
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
from bitvault.kernel.capabilities import EVERYONE_ID

CONSUMER = "notifications"
"""Under which name notifications read the stream."""

WINDOW = timedelta(hours=1)
"""How long after its first one further ones join a group: a morning's upload is one line, yesterday's is another."""

GROUP_LIMIT = 100_000
"""Entries of one group."""

_JOIN_IN_FOLDER: frozenset[Kind] = frozenset({"folder_created", "added", "moved", "trashed", "restored"})


def record(events: Sequence[Published]) -> None:
    """Write down what a batch of events tells; applying it again changes nothing."""
    drafts = [draft for published in events if published.event and (draft := _draft(published, published.event))]
    known = set(Entry.objects.filter(pk__in=[draft.id for draft in drafts]).values_list("id", flat=True))
    drafts = [draft for draft in drafts if draft.id not in known]
    _find_inviters(drafts)
    changed = _group(drafts)
    Entry.objects.bulk_create(drafts)
    if changed:
        Entry.objects.bulk_update(changed, ["count", "last_seq", "last_at"])
    _forget(events)
    if any(draft.head_id is None for draft in drafts) or any(
        isinstance(one.event, (billing.QuotaChanged, billing.ScopeLimitChanged)) for one in events
    ):
        telling.request(events[-1].seq)


def _draft(published: Published, event: Event) -> Entry | None:
    """Say what people are told of an event; ``None`` where they are told nothing."""
    match event:
        case files.FolderCreated() | files.VersionCommitted():
            return _draft_new(published, event)
        case files.NodeMoved() | files.NodeTrashed() | files.NodeRestored():
            return _draft_change(published, event)
        case files.NodeLocked() | files.NodeUnlocked():
            return _draft_lock(published, event)
        case sharing.ShareGranted(principal_kind="user" | "group" | "everyone"):
            entry = _entry(published, "shared", node_id=event.node_id, subject_id=event.share_id)
            entry.audience_id = EVERYONE_ID if event.principal_kind == "everyone" else event.principal_id
            entry.facts = {"role": event.role, "to": event.principal_kind}
            return entry
        case sharing.AccessRequested():
            return _entry(
                published,
                "asked",
                node_id=event.node_id,
                subject_id=event.request_id,
                audience_id=event.keeper_id or ADMINISTRATORS_ID,
            )
        case annotations.CommentAdded() | annotations.CommentAnswered() | annotations.PersonMentioned():
            return _draft_comment(published, event)
        case identity.InvitationCreated():
            return _entry(published, "invited", subject_id=event.invitation_id)
        case identity.InvitationAccepted():
            entry = _entry(published, "joined", subject_id=event.invitation_id)
            entry.actor_id = event.user_id
            return entry
        case identity.SessionStarted():
            return _entry(published, "signed_in", subject_id=event.session_id, audience_id=event.user_id)
    return _draft_personal(published, event)


def _draft_personal(published: Published, event: Event) -> Entry | None:
    """Say what people are told of what is theirs, or of what they look after: links, long jobs, webhooks."""
    match event:
        case files.RetentionStarted() | files.RetentionLifted():
            return _draft_retention(published, event)
        case links.LinkEnding():
            entry = _entry(published, "link_ending", node_id=event.node_id, subject_id=event.link_id)
            entry.audience_id, entry.facts = event.made_by, {"ends_at": event.expires_at.isoformat()}
            return entry
        case links.LinkOpened(made_by=UUID()):
            entry = _entry(published, "link_used", node_id=event.node_id, subject_id=event.link_id)
            # A link that many open is one line.
            entry.audience_id, entry.group_on = event.made_by, event.link_id
            return entry
        case links.SubmissionFinished():
            entry = _entry(published, "received", node_id=event.node_id, subject_id=event.submission_id)
            entry.audience_id, entry.facts = event.made_by, {"file_count": event.file_count}
            return entry
        case notifications.LongJobEnded():
            kind: Kind = "job_done" if event.is_done else "job_failed"
            entry = _entry(published, kind, subject_id=event.job_id, audience_id=event.user_id)
            entry.facts = {"job": event.job_kind}
            return entry
        case webhooks.WebhookDisabled() | admin_platform.SiemExportFailing() | admin_platform.SiemExportRecovered():
            return _draft_receiver(published, event)
        case billing.StatementMade():
            entry = _entry(published, "statement", audience_id=ADMINISTRATORS_ID)
            entry.facts = {"month": event.month, "totals": ", ".join(event.totals)}
            return entry
        case (
            identity.TenantDeletionRequested() | identity.TenantDeletionWithdrawn() | impersonation.ImpersonationBegan()
        ):
            return _draft_vault(published, event)
        case domains.DomainRecordMissed() | domains.DomainRecordFound() | domains.DomainLost():
            return _draft_domain(published, event)
    return _draft_payment(published, event) or _draft_scan(published, event)


def _draft_receiver(
    published: Published,
    event: webhooks.WebhookDisabled | admin_platform.SiemExportFailing | admin_platform.SiemExportRecovered,
) -> Entry:
    """Say what administrators are told of receivers elsewhere."""
    match event:
        case webhooks.WebhookDisabled():
            return _entry(published, "webhook_off", subject_id=event.webhook_id, audience_id=ADMINISTRATORS_ID)
        case admin_platform.SiemExportFailing():
            return _entry(published, "siem_failing", subject_id=event.export_id, audience_id=ADMINISTRATORS_ID)
        case _:
            return _entry(published, "siem_works", subject_id=event.export_id, audience_id=ADMINISTRATORS_ID)


def _draft_vault(
    published: Published,
    event: identity.TenantDeletionRequested | identity.TenantDeletionWithdrawn | impersonation.ImpersonationBegan,
) -> Entry:
    """Say what people are told of the vault itself."""
    match event:
        case identity.TenantDeletionRequested():
            entry = _entry(published, "vault_deletion", audience_id=EVERYONE_ID)
            entry.facts = {"ends_at": event.due_at}
            return entry
        case identity.TenantDeletionWithdrawn():
            return _entry(published, "vault_kept", audience_id=EVERYONE_ID)
        case impersonation.ImpersonationBegan():
            entry = _entry(published, "support", subject_id=event.impersonation_id, audience_id=ADMINISTRATORS_ID)
            entry.facts = {"operator": event.operator_name, "reason": event.reason, "ends_at": event.ends_at}
            return entry


def _draft_domain(
    published: Published, event: domains.DomainRecordMissed | domains.DomainRecordFound | domains.DomainLost
) -> Entry:
    """Say what administrators are told of a host name of theirs."""
    kinds: dict[type[Event], Kind] = {
        domains.DomainRecordMissed: "domain_missed",
        domains.DomainRecordFound: "domain_found",
        domains.DomainLost: "domain_lost",
    }
    entry = _entry(published, kinds[type(event)], subject_id=event.domain_id, audience_id=ADMINISTRATORS_ID)
    entry.facts = {"domain": event.domain}
    if isinstance(event, domains.DomainRecordMissed):
        entry.facts["ends_at"] = event.leads_until.isoformat()
    return entry


def _draft_payment(published: Published, event: Event) -> Entry | None:
    """Say what administrators are told of payment by a provider."""
    match event:
        case billing.SubscriptionStarted():
            kind: Kind = "plan_paid"
            facts = {"plan": event.plan_name}
        case billing.SubscriptionEnded():
            kind = "plan_ended"
            facts = {"plan": event.plan_name, "new_plan": event.new_plan_name, "cause": event.cause}
        case billing.PaymentFailed() | billing.PaymentReminded():
            kind = "payment_failed" if isinstance(event, billing.PaymentFailed) else "payment_reminder"
            facts = {"plan": event.plan_name, "ends_at": event.grace_ends_at.isoformat()}
        case billing.PaymentSettled():
            kind = "payment_settled"
            facts = {"plan": event.plan_name}
        case _:
            return None
    entry = _entry(published, kind, audience_id=ADMINISTRATORS_ID)
    entry.facts = facts
    return entry


def _draft_comment(
    published: Published, event: annotations.CommentAdded | annotations.CommentAnswered | annotations.PersonMentioned
) -> Entry:
    """Say what people are told of a comment: who follows the node and its owner, who wrote in the thread, who is mentioned."""
    if isinstance(event, annotations.CommentAdded):
        entry = _entry(published, "commented", node_id=event.node_id, audience_id=event.owner_id)
        entry.group_on = event.node_id
    elif isinstance(event, annotations.CommentAnswered):
        entry = _entry(published, "answered", node_id=event.node_id, audience_id=event.user_id)
        entry.facts = {"is_starter": event.is_starter}
    else:
        entry = _entry(published, "mentioned", node_id=event.node_id, audience_id=event.user_id)
    entry.subject_id = event.comment_id
    return entry


def _draft_new(published: Published, event: files.FolderCreated | files.VersionCommitted) -> Entry | None:
    """Say what came into a folder, or is changed there; a root lies in none and is nobody's news."""
    if isinstance(event, files.FolderCreated):
        if event.parent_id is None:
            return None
        return _on_node(published, "folder_created", event, folder_id=event.parent_id, is_folder=True)
    if event.conflict_with_id is not None:
        return _on_node(published, "conflict", event, folder_id=event.parent_id, audience_id=event.actor_id)
    return _on_node(published, "added" if event.node_created else "changed", event, folder_id=event.parent_id)


def _draft_change(
    published: Published, event: files.NodeMoved | files.NodeTrashed | files.NodeRestored
) -> Entry | None:
    is_folder = event.kind == "folder"
    match event:
        case files.NodeTrashed():
            return _on_node(published, "trashed", event, folder_id=event.old_parent_id, is_folder=is_folder)
        case files.NodeRestored():
            return _on_node(published, "restored", event, folder_id=event.parent_id, is_folder=is_folder)
        case files.NodeMoved() if event.parent_id != event.old_parent_id:
            return _on_node(published, "moved", event, folder_id=event.parent_id, is_folder=is_folder)
        case files.NodeMoved() if event.name != event.old_name:
            entry = _on_node(published, "renamed", event, folder_id=event.parent_id, is_folder=is_folder)
            entry.facts = {"old_name": event.old_name}
            return entry
    return None


def _draft_lock(published: Published, event: files.NodeLocked | files.NodeUnlocked) -> Entry | None:
    """Say what people do about a lock, and to its holder that somebody else has ended it; what ends by itself is no news."""
    if isinstance(event, files.NodeLocked):
        return _on_node(published, "locked", event, folder_id=event.parent_id) if event.is_new else None
    if event.cause == "released":
        return _on_node(published, "unlocked", event, folder_id=event.parent_id)
    if event.cause == "forced":
        return _on_node(published, "lock_ended", event, folder_id=event.parent_id, audience_id=event.holder_id)
    return None


def _draft_scan(published: Published, event: Event) -> Entry | None:
    """Say what the sender is told of a find, or of what cannot be scanned, and administrators of every find."""
    match event:
        case scanning.ContentQuarantined():
            return _entry(published, "quarantined", subject_id=event.content_id, audience_id=ADMINISTRATORS_ID)
        case scanning.MalwareFound(sender_id=UUID()):
            return _entry(published, "malware", node_id=event.node_id, audience_id=event.sender_id, name=event.name)
        case scanning.ContentBlocked(sender_id=UUID()):
            return _entry(published, "blocked", node_id=event.node_id, audience_id=event.sender_id, name=event.name)
    return None


def _draft_retention(published: Published, event: files.RetentionStarted | files.RetentionLifted) -> Entry | None:
    """Say to who owns something that it is on hold, or under a rule, or is not any more, where they are to know."""
    if event.told_user_id is None:
        return None
    kind: Kind = "held" if isinstance(event, files.RetentionStarted) else "hold_lifted"
    entry = _entry(published, kind, node_id=event.node_id, subject_id=event.policy_id, audience_id=event.told_user_id)
    entry.facts = {"is_hold": event.kind == "hold"}
    return entry


def _entry(published: Published, kind: Kind, **facts: Any) -> Entry:
    return Entry(
        id=published.id,
        seq=published.seq,
        kind=kind,
        actor_id=published.actor_id,
        occurred_at=published.occurred_at,
        last_seq=published.seq,
        last_at=published.occurred_at,
        **facts,
    )


def _on_node(published: Published, kind: Kind, event: Any, **facts: Any) -> Entry:
    entry = _entry(published, kind, node_id=event.node_id, name=event.name, **facts)
    if kind in _JOIN_IN_FOLDER:
        entry.group_on = entry.folder_id
    elif kind == "changed":
        entry.group_on = entry.node_id
    return entry


def _find_inviters(drafts: Sequence[Entry]) -> None:
    """Let each who came by an invitation be told to who had sent it; to administrators, where that is not known any more."""
    joined = [draft for draft in drafts if draft.kind == "joined"]
    if not joined:
        return
    rows = Entry.objects.filter(kind="invited", subject_id__in=[draft.subject_id for draft in joined])
    inviters = dict(rows.values_list("subject_id", "actor_id"))
    inviters |= {draft.subject_id: draft.actor_id for draft in drafts if draft.kind == "invited"}
    for draft in joined:
        draft.audience_id = inviters.get(draft.subject_id) or ADMINISTRATORS_ID


def _group(drafts: Sequence[Entry]) -> list[Entry]:
    """Let drafts join the heads of what happened before, and of each other; returns the stored heads that have grown.

    What somebody follows by itself stands for itself.
    """
    joining = [draft for draft in drafts if draft.group_on is not None]
    if not joining:
        return []
    followed = set(_followed(draft.node_id for draft in joining if draft.kind in _JOIN_IN_FOLDER))
    for draft in joining:
        if draft.node_id in followed and draft.kind in _JOIN_IN_FOLDER:
            draft.group_on = None
    heads: dict[tuple[Any, ...], Entry] = {}
    stored = Entry.objects.filter(
        head_id__isnull=True,
        actor_id__in={draft.actor_id for draft in joining},
        last_seq__lt=joining[0].seq,
        group_on__in={draft.group_on for draft in joining},
        occurred_at__gt=min(draft.occurred_at for draft in joining) - WINDOW,
    )
    for head in stored.order_by("seq"):
        heads[_key(head)] = head
    grown: dict[UUID, Entry] = {}
    own = {draft.id for draft in drafts}
    for draft in joining:
        if draft.group_on is None:
            continue
        found = heads.get(_key(draft))
        if found is None or draft.occurred_at - found.occurred_at > WINDOW or found.count >= GROUP_LIMIT:
            heads[_key(draft)] = draft
            continue
        draft.head_id, draft.group_on = found.id, None
        found.count += 1
        found.last_seq, found.last_at = max(found.last_seq, draft.seq), max(found.last_at, draft.occurred_at)
        if found.id not in own:
            grown[found.id] = found
    return list(grown.values())


def _key(entry: Entry) -> tuple[Any, ...]:
    return entry.kind, entry.actor_id, entry.group_on, entry.audience_id


def _followed(node_ids: Iterable[UUID | None]) -> Iterable[UUID]:
    rows = Subscription.objects.filter(node_id__in={one for one in node_ids if one is not None}, follows=True)
    return rows.values_list("node_id", flat=True).distinct()


def _forget(events: Sequence[Published]) -> None:
    """Drop what belonged to nodes that are gone for good, and to people who have left."""
    gone = [
        node_id for one in events if isinstance(one.event, files.NodePurged) for node_id in one.event.purged_node_ids
    ]
    if gone:
        Subscription.objects.filter(node_id__in=gone).delete()
    left = [one.event.user_id for one in events if isinstance(one.event, identity.MemberRemoved)]
    if left:
        for model in (Subscription, Preference, ReadMark, Reader, Browser):
            model.objects.filter(user_id__in=left).delete()
