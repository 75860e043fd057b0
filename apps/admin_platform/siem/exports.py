"""What administrators and operators change of SIEM exports."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_noop

from apps.admin_platform import dtos, errors, queries, siem_targets
from apps.admin_platform.config import SIEM_URL
from apps.admin_platform.models import SiemExport
from apps.admin_platform.siem import delivering, waking
from bitvault.events.api import publish
from bitvault.events.catalog.admin_platform import (
    SiemExportChanged,
    SiemExportCreated,
    SiemExportDeleted,
    SiemExportRestarted,
)
from bitvault.jobs import api as jobs
from bitvault.jobs.dtos import Job
from bitvault.kernel import clock, db, ids, sealing
from bitvault.kernel.actor import Actor
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import NotFound
from bitvault.kernel.outbound import addresses

EXPORTS_LIMIT = 5
"""SIEM exports of one tenant: each reads the whole log."""

_SENTENCES = {
    "malformed": gettext_noop("Type an address like https://host/path or syslog+tls://host:6514."),
    "too_long": gettext_noop("This address is too long."),
    "scheme": gettext_noop("The address must begin with https:// or syslog+tls://."),
    "credentials": gettext_noop("The address must hold no user name and no password."),
    "port": gettext_noop("Nothing is sent to this port."),
    "unknown_host": gettext_noop("No server of this name is found."),
    "inside": gettext_noop("This address is not on the public internet."),
}

_resolving = Dependency("resolver", share=2)
"""Two threads of a process wait for name servers at once, for some seconds at most."""


def list_exports() -> list[dtos.SiemExport]:
    """List the tenant's own exports, oldest first."""
    with db.read_transaction():
        head, _digest = queries.get_head()
        return [to_dto(row, head) for row in SiemExport.objects.filter(is_installation=False).order_by("id")]


def create(actor: Actor, wish: dtos.SiemWish) -> dtos.SiemExport:
    """Send the log to an address, from an entry on; without one, from now on."""
    _require_address(wish.url)
    with db.write_transaction(lock="siem"):
        head, _digest = queries.get_head()
        _require_number(wish.from_number, head)
        if SiemExport.objects.filter(is_installation=False).count() >= EXPORTS_LIMIT:
            raise errors.TooManySiemExports(limit=EXPORTS_LIMIT)
        row = SiemExport(
            id=ids.new_id(),
            url=wish.url,
            secret=_seal(wish.secret),
            description=wish.description,
            position=head if wish.from_number is None else wish.from_number - 1,
            created_by=actor.user_id,
            created_at=clock.now(),
        )
        row.save(force_insert=True)
        waking.enqueue([row])
        publish(SiemExportCreated(export_id=row.id, actor_id=actor.user_id))
    return to_dto(row, head)


def change(actor: Actor, export_id: UUID, changes: dict[str, Any]) -> dtos.SiemExport:
    """Change address, secret or description of an export, pause it, or let it go on from where it was."""
    if "url" in changes:
        _require_address(changes["url"])
    if "secret" in changes:
        changes = {**changes, "secret": _seal(changes["secret"])}

    def apply(row: SiemExport) -> None:
        wanted = dict(changes)
        enabled = wanted.pop("enabled", row.is_enabled)
        if enabled == row.is_enabled and all(getattr(row, name) == value for name, value in wanted.items()):
            return
        for name, value in wanted.items():
            setattr(row, name, value)
        _begin_anew(row, is_enabled=enabled)
        publish(SiemExportChanged(export_id=row.id, is_enabled=enabled, actor_id=actor.user_id))

    return _locked(apply, pk=export_id, is_installation=False)


def delete(actor: Actor, export_id: UUID) -> None:
    """Send the log there no more."""
    with db.write_transaction():
        if not SiemExport.objects.filter(pk=export_id, is_installation=False).delete()[0]:
            raise NotFound
        publish(SiemExportDeleted(export_id=export_id, actor_id=actor.user_id))


def restart(actor: Actor, export_id: UUID, from_number: int) -> dtos.SiemExport:
    """Send the log again from an entry on."""
    return _locked(lambda row: _restart(row, from_number, actor.user_id), pk=export_id, is_installation=False)


def request_test(actor: Actor, export_id: UUID) -> Job:
    """Have a test sent, by a job; an export that is paused can be tested too."""
    with db.write_transaction():
        if not SiemExport.objects.filter(pk=export_id, is_installation=False).exists():
            raise NotFound
        payload = waking.SendTest(export_id=export_id)
        return jobs.enqueue(waking.TEST, payload, key=ids.new_id().hex, by=jobs.Requester.of(actor))


# --- of the installation: in each tenant that is entered ---------------------------------------------------------------------------


def find_of_installation() -> dtos.SiemExport | None:
    """Tell how far the operators' export of the entered tenant's log is; ``None``: it has not begun."""
    with db.read_transaction():
        head, _digest = queries.get_head()
        row = SiemExport.objects.filter(is_installation=True).first()
    return None if row is None else to_dto(row, head)


def change_of_installation(*, operator_id: UUID, is_enabled: bool) -> dtos.SiemExport:
    """Pause the operators' export of the entered tenant's log, or let it go on."""

    def apply(row: SiemExport) -> None:
        if row.is_enabled != is_enabled:
            _begin_anew(row, is_enabled=is_enabled)
            publish(SiemExportChanged(export_id=row.id, is_enabled=is_enabled, actor_id=operator_id))

    return _locked(apply, is_installation=True)


def restart_of_installation(*, operator_id: UUID, from_number: int) -> dtos.SiemExport:
    """Send the entered tenant's log to the operators' address again, from an entry on."""
    return _locked(lambda row: _restart(row, from_number, operator_id), is_installation=True)


def test_of_installation() -> dtos.SiemTest:
    """Send a test to the operators' address, at once."""
    return delivering.test(SiemExport(is_installation=True))


def to_dto(row: SiemExport, head: int) -> dtos.SiemExport:
    """Give an export as it is told: without its secret."""
    return dtos.SiemExport(
        id=row.id,
        url=SIEM_URL.get() if row.is_installation else row.url,
        has_secret=bool(row.secret),
        description=row.description,
        enabled=row.is_enabled,
        sent_number=row.position,
        backlog_count=max(0, head - row.position),
        failing_since=row.failing_since,
        next_try_at=row.next_try_at,
        told_at=row.told_at,
        last_failure=row.last_failure,  # type: ignore[arg-type] # the column holds no other
        last_status=row.last_status,
        last_success_at=row.last_success_at,
        created_at=row.created_at,
    )


def _begin_anew(row: SiemExport, *, is_enabled: bool) -> None:
    row.is_enabled = is_enabled
    row.round += 1
    row.try_count, row.next_try_at, row.told_at = 0, None, None
    if is_enabled:
        waking.enqueue([row])
    else:
        row.failing_since = None


def _restart(row: SiemExport, from_number: int, actor_id: UUID) -> None:
    _require_number(from_number, queries.get_head()[0])
    row.position = from_number - 1
    _begin_anew(row, is_enabled=row.is_enabled)
    publish(SiemExportRestarted(export_id=row.id, from_number=from_number, actor_id=actor_id))


def _locked(apply: Callable[[SiemExport], None], **which: Any) -> dtos.SiemExport:
    with db.write_transaction():
        row = SiemExport.objects.select_for_update().filter(**which).first()
        if row is None:
            raise NotFound
        apply(row)
        row.save()
        head, _digest = queries.get_head()
    return to_dto(row, head)


def _require_number(number: int | None, head: int) -> None:
    if number is not None and number > head + 1:
        raise errors.AuditNumberUnknown(head_number=head)


def _require_address(url: str) -> None:
    try:
        with _resolving.held():
            siem_targets.require_fit(url)
    except addresses.Refused as refused:
        raise errors.SiemAddressUnfit(_SENTENCES[refused.reason], reason=refused.reason) from refused


def _seal(secret: str) -> str:
    return sealing.seal(secret, purpose=delivering.PURPOSE) if secret else ""
