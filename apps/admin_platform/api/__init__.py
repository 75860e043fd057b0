"""The door of administration: the audit log and feature flags."""

from collections.abc import Collection, Sequence
from typing import Any, Literal
from uuid import UUID

from apps.admin_platform import alarms, anchoring, configuring, exporting, flagging, queries, repeats, verifying
from apps.admin_platform import denials as recording
from apps.admin_platform.config import SIEM_URL
from apps.admin_platform.dtos import (
    EVERYTHING,
    EXPORT_LIMIT,
    AnchorStatus,
    AuditAnchor,
    AuditExport,
    AuditFilter,
    AuditKey,
    AuditPage,
    ConfigTrouble,
    Feature,
    SiemExport,
    SiemTest,
    SiemWish,
    Verification,
)
from apps.admin_platform.errors import AnchorsNeedWholeLog, TokenNarrowed, VerificationFailed
from apps.admin_platform.operations import CONSUMER
from apps.admin_platform.siem import exports
from bitvault.events.api import get_position
from bitvault.jobs import api as jobs
from bitvault.jobs.dtos import Job
from bitvault.kernel import db
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.errors import NotFound
from bitvault.kernel.flags import Value
from bitvault.kernel.pages import PAGE_DEFAULT, Page
from bitvault.kernel.permissions import Permission

__all__ = [
    "CONSUMER",
    "choose_feature",
    "export_audit",
    "get_anchor_status",
    "get_feature",
    "list_anchors",
    "list_audit",
    "list_audit_keys",
    "list_config_troubles",
    "list_features",
    "recheck_audit",
    "record_act",
    "record_denial",
    "record_denials",
    "record_repeatable_act",
    "verify_audit",
]


@exposed
def list_audit(
    *, actor: Actor, wanted: AuditFilter = EVERYTHING, cursor: str | None = None, limit: int = PAGE_DEFAULT
) -> AuditPage:
    """Read a page of the tenant's audit log, newest first.

    :raises PermissionMissing: the actor's role does not allow it.
    :raises BadCursor: the cursor does not belong to this log.
    """
    actor.require_permission(Permission.SEE_AUDIT)
    position = get_position(CONSUMER)
    with db.read_transaction():
        page = queries.list_entries(wanted=wanted, cursor=cursor, limit=limit)
    return AuditPage(items=page.items, next_cursor=page.next_cursor, as_of_seq=position)


@exposed
def verify_audit(*, actor: Actor, job_id: UUID | None = None, min_seq: int = 0) -> Verification | Job:
    """Recompute the chain of the tenant's audit log; of a long one, answer with the job that does it until it is done.

    It shows entries that were altered, inserted, removed or reordered, and a tail cut off behind the head's back; who rewrites chain and
    head together is found by a head noted elsewhere.

    :param job_id: the result of this job; without it, the last one while it is fresh.
    :param min_seq: the log as of this number of the stream at least.
    :raises PermissionMissing: the actor's role does not allow it.
    :raises NotFound: there is no such job.
    :raises VerificationFailed: the job has failed or was canceled.
    """
    actor.require_permission(Permission.SEE_AUDIT)
    if job_id is not None:
        job = jobs.get_job(actor=actor, job_id=job_id)
        if job.kind != verifying.KIND:
            raise NotFound
        if job.state == "done":
            return verifying.read_result(job)
        if job.is_finished:
            raise VerificationFailed(job_id=job.id, state=job.state)
        return job
    if verifying.is_short():
        return verifying.verify(CONSUMER)
    return verifying.request(actor, min_seq=min_seq)


@exposed
def recheck_audit() -> Verification:
    """Recompute the chain of the entered tenant's whole log at once, however long it is: for operators, after a restore."""
    return verifying.verify(CONSUMER)


@exposed
def export_audit(
    *,
    actor: Actor,
    after: int = 0,
    limit: int = EXPORT_LIMIT,
    wanted: AuditFilter = EVERYTHING,
    form: Literal["json_lines", "csv"] = "json_lines",
    with_anchors: bool = False,
) -> AuditExport:
    """Read entries in the order of the chain; all of them, as JSON lines, are enough to recompute it elsewhere.

    A page ends at ``limit`` lines, or earlier when it has become large, and says whether more follows.

    :param with_anchors: put a line for the export before the first entry, each anchor after the entry that it signs, and a signed line
        at the end: what ``bitvault-verify`` checks.
    :raises PermissionMissing: the actor's role does not allow it.
    :raises AnchorsNeedWholeLog: ``with_anchors`` of some entries alone.
    """
    actor.require_permission(Permission.SEE_AUDIT)
    if with_anchors and wanted != EVERYTHING:
        raise AnchorsNeedWholeLog
    return exporting.export(
        actor,
        after=after,
        limit=limit,
        position=get_position(CONSUMER),
        wanted=wanted,
        form=form,
        with_anchors=with_anchors,
    )


@exposed
def list_anchors(*, actor: Actor, cursor: str | None = None, limit: int = PAGE_DEFAULT) -> Page[AuditAnchor]:
    """Read a page of what was signed of the tenant's audit log, the newest first.

    :raises PermissionMissing: the actor's role does not allow it.
    :raises BadCursor: the cursor does not belong to these anchors.
    """
    actor.require_permission(Permission.SEE_AUDIT)
    return anchoring.list_anchors(cursor=cursor, limit=limit)


@exposed
def list_audit_keys(*, actor: Actor) -> Page[AuditKey]:
    """List the public keys of the anchors of the tenant's audit log, the one that signs now first.

    :raises PermissionMissing: the actor's role does not allow it.
    """
    actor.require_permission(Permission.SEE_AUDIT)
    return Page(anchoring.list_keys())


@exposed
def get_anchor_status(*, actor: Actor) -> AnchorStatus:
    """Tell the last anchor of the tenant's audit log, and whether it is good: its signature, and that the log has what it signs.

    :raises PermissionMissing: the actor's role does not allow it.
    """
    actor.require_permission(Permission.SEE_AUDIT)
    return anchoring.get_status()


@exposed
def record_denial(*, event_type: str, actor_id: UUID | None, node_id: UUID | None, payload: dict[str, Any]) -> None:
    """Write down something that was denied: it changes nothing, so no event tells of it.

    Who is denied again and again gets no entry for each: what is over the rate is counted, and the count is an entry.
    """
    recording.record(event_type=event_type, actor_id=actor_id, node_id=node_id, payload=payload)


@exposed
def record_act(*, event_type: str, actor_id: UUID, node_id: UUID | None, payload: dict[str, Any]) -> None:
    """Write down what an operator did who looks at the tenant: each act, since it changes nothing that an event would tell of."""
    recording.record_act(event_type=event_type, actor_id=actor_id, node_id=node_id, payload=payload)


@exposed
def record_repeatable_act(
    *, event_type: str, repeated_type: str, key: str, actor_id: UUID, node_id: UUID | None, payload: dict[str, Any]
) -> None:
    """Write down what the page of an operator asked for by itself; the same (``key``) again within five minutes is counted.

    The count is an entry of ``repeated_type``, within five more minutes.
    """
    repeats.record(
        event_type=event_type,
        repeated_type=repeated_type,
        key=key,
        actor_id=actor_id,
        node_id=node_id,
        payload=payload,
    )


@exposed
def record_denials(
    *, event_type: str, actor_id: UUID | None, denials: Sequence[tuple[UUID | None, dict[str, Any]]]
) -> None:
    """Write down what was denied of one request, each with the node that it is about and its payload; bounded as ``record_denial`` is."""
    recording.record_several(event_type=event_type, actor_id=actor_id, denials=denials)


@exposed
def list_siem_exports(*, actor: Actor) -> Page[SiemExport]:
    """List where the tenant's audit log is sent on to, oldest first, all in one page.

    :raises PermissionMissing, TokenNarrowed: the actor does not see the audit log, or only has a folder.
    """
    _require_exporting(actor)
    return Page(exports.list_exports())


@exposed
def create_siem_export(*, actor: Actor, wish: SiemWish) -> SiemExport:
    """Send the tenant's audit log on to an address.

    :raises PermissionMissing, TokenNarrowed: the actor does not see the audit log, or only has a folder.
    :raises SiemAddressUnfit: nothing can be sent there.
    :raises TooManySiemExports: the tenant has as many as it can have.
    :raises AuditNumberUnknown: the log has not come so far.
    """
    _require_exporting(actor)
    return exports.create(actor, wish)


@exposed
def change_siem_export(*, actor: Actor, export_id: UUID, changes: dict[str, Any]) -> SiemExport:
    """Change ``url``, ``secret`` or ``description``, pause it or let it go on (``enabled``).

    :raises PermissionMissing, TokenNarrowed: the actor does not see the audit log, or only has a folder.
    :raises NotFound: there is none.
    :raises SiemAddressUnfit: nothing can be sent there.
    """
    _require_exporting(actor)
    return exports.change(actor, export_id, changes)


@exposed
def delete_siem_export(*, actor: Actor, export_id: UUID) -> None:
    """Send the log there no more.

    :raises PermissionMissing, TokenNarrowed: the actor does not see the audit log, or only has a folder.
    :raises NotFound: there is none.
    """
    _require_exporting(actor)
    exports.delete(actor, export_id)


@exposed
def test_siem_export(*, actor: Actor, export_id: UUID) -> Job:
    """Have a test sent; the result of the job tells what became of it.

    :raises PermissionMissing, TokenNarrowed: the actor does not see the audit log, or only has a folder.
    :raises NotFound: there is none.
    """
    _require_exporting(actor)
    return exports.request_test(actor, export_id)


@exposed
def restart_siem_export(*, actor: Actor, export_id: UUID, from_number: int) -> SiemExport:
    """Send the log again from an entry on, and then go on.

    :raises PermissionMissing, TokenNarrowed: the actor does not see the audit log, or only has a folder.
    :raises NotFound: there is none.
    :raises AuditNumberUnknown: the log has not come so far.
    """
    _require_exporting(actor)
    return exports.restart(actor, export_id, from_number)


def _require_exporting(actor: Actor) -> None:
    actor.require_scope(Scope.ADMIN)
    actor.require_permission(Permission.SEE_AUDIT)
    if actor.folder_id is not None:
        raise TokenNarrowed


@exposed
def find_siem_export_of_installation() -> SiemExport | None:
    """Tell operators how far their export of the entered tenant's log is; ``None``: it has not begun."""
    return exports.find_of_installation()


@exposed
def change_siem_export_of_installation(*, operator_id: UUID, is_enabled: bool) -> SiemExport:
    """Pause the operators' export of the entered tenant's log, or let it go on.

    :raises NotFound: it has not begun.
    """
    return exports.change_of_installation(operator_id=operator_id, is_enabled=is_enabled)


@exposed
def restart_siem_export_of_installation(*, operator_id: UUID, from_number: int) -> SiemExport:
    """Send the entered tenant's log to the operators' address again, from an entry on.

    :raises NotFound: it has not begun.
    :raises AuditNumberUnknown: the log has not come so far.
    """
    return exports.restart_of_installation(operator_id=operator_id, from_number=from_number)


@exposed
def test_siem_export_of_installation() -> SiemTest:
    """Send a test to the operators' address, at once, in the entered tenant's name."""
    return exports.test_of_installation()


@exposed
def find_siem_url() -> str:
    """Tell where operators have all audit logs sent on to; empty: nowhere."""
    return SIEM_URL.get()


@exposed
def list_features(*, actor: Actor) -> Page[Feature]:
    """List the feature flags as they hold for the actor."""
    return Page(flagging.list_features(actor))


@exposed
def get_feature(*, actor: Actor, key: str) -> Feature:
    """Tell what holds of one feature flag.

    :raises FeatureUnknown: there is no such flag.
    """
    return flagging.get_feature(actor, key)


@exposed
def choose_feature(*, actor: Actor, key: str, value: Value | None) -> Feature:
    """Choose a feature for the vault; ``None`` leaves it to the operators again.

    :raises PermissionMissing: the actor's role does not allow it.
    :raises FeatureUnknown: there is no such flag.
    :raises FeatureNotYours: the operators alone decide it.
    :raises FeatureForced: the operators have decided it for all vaults.
    :raises FeatureValueUnfit: the flag does not take this value.
    """
    actor.require_permission(Permission.MANAGE_SETTINGS)
    flagging.choose(actor, key, value)
    return flagging.get_feature(actor, key)


@exposed
def list_config_troubles() -> list[tuple[str, ConfigTrouble]]:
    """List the settings that operators have decided and that do not hold, each with why."""
    return [(status.key, trouble) for status in configuring.list_statuses() for trouble in status.troubles]


@exposed
def forget_tenant(*, tenant_id: UUID) -> None:
    """Forget the features that a deleted tenant has chosen; done again it changes nothing."""
    flagging.forget_tenant(tenant_id)


@exposed
def list_alarms() -> list[str]:
    """List what of the installation is amiss now, by key; one query."""
    return alarms.list_raised()


@exposed
def change_alarm(*, key: str, is_raised: bool, tell: Collection[UUID]) -> bool:
    """Note that something of the installation is amiss, or well again, and write to operators; tells whether it was other before."""
    return alarms.change(key, is_raised=is_raised, tell=tell)
