"""The sentences of the audit log's page. A type of event that has none yet is told by its own words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_EDGE = "\0"
"""Stands around names until a sentence is cut: no name has it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A choice of the filter: entries of these types, as the filter of the log takes them."""

    key: str
    label: "StrOrPromise"
    icon: str
    types: Sequence[str]

    def holds(self, event_type: str) -> bool:
        """Tell whether a type is of this kind."""
        return any(
            event_type.startswith(one.removesuffix("*")) if one.endswith("*") else event_type == one
            for one in self.types
        )


DENIED = Kind(
    "denied",
    _("Denied"),
    "warning",
    (
        "access.denied",
        "socket.denied",
        "identity.sign_in.denied",
        "identity.impersonation.refused",
        "audit.denials.omitted",
        "links.link.refused.v1",
    ),
)
ADMINISTRATION = Kind(
    "administration",
    _("Administration"),
    "settings",
    (
        "identity.tenant.*",
        "identity.person.*",
        "billing.*",
        "admin_platform.*",
        "webhooks.*",
        "events.*",
        "storage.*",
        "scanning.*",
        "notifications.*",
    ),
)
KINDS = (
    Kind("files", _("Files and folders"), "folder", ("files.*", "annotations.*")),
    Kind("sharing", _("Sharing and links"), "share", ("sharing.*", "links.*")),
    Kind(
        "people",
        _("People and groups"),
        "users",
        ("identity.member.*", "identity.invitation.*", "identity.group.*", "identity.role.*"),
    ),
    Kind(
        "access",
        _("Sign-ins, devices, tokens"),
        "key",
        (
            "identity.session.*",
            "identity.impersonation.*",
            "identity.token.*",
            "identity.password.*",
            "identity.email.*",
            "sync.*",
        ),
    ),
    ADMINISTRATION,
    DENIED,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a sentence; names are set off."""

    text: str
    is_name: bool


ROLES: dict[str, "StrOrPromise"] = {
    "owner": _("owner"),
    "admin": _("administrator"),
    "member": _("member"),
    "viewer": _("viewer"),
    "guest": _("guest"),
    "editor": _("editor"),
    "manager": _("manager"),
    "commenter": _("commenter"),
    "contributor": _("contributor"),
    "previewer": _("previewer"),
    "uploader": _("uploader"),
}

_SENTENCES: dict[str, "StrOrPromise"] = {
    "access.denied": _("%(actor)s was denied %(what)s"),
    "socket.denied": _("%(actor)s was denied a live connection"),
    "identity.sign_in.denied": _("Somebody tried to sign in and failed"),
    "audit.denials.omitted": _("%(count)s further denials were counted and not written one by one"),
    "files.folder.created.v1": _("%(actor)s created the folder %(name)s"),
    "files.version.committed.v1": _("%(actor)s changed %(name)s"),
    "files.version.described.v1": _("%(actor)s labelled or pinned a version of %(name)s"),
    "files.version.deleted.v1": _("%(actor)s deleted older versions of %(name)s"),
    "files.node.moved.v1": _("%(actor)s moved %(name)s to another folder"),
    "files.node.changed.v1": _("%(actor)s changed the time of %(name)s"),
    "files.node.locked.v1": _("%(actor)s locked %(name)s"),
    "files.node.unlocked.v1": _("%(actor)s unlocked %(name)s"),
    "files.node.trashed.v1": _("%(actor)s moved %(name)s to the trash"),
    "files.node.restored.v1": _("%(actor)s restored %(name)s from the trash"),
    "files.node.purged.v1": _("%(actor)s deleted %(name)s permanently"),
    "files.team_access.changed.v1": _("%(actor)s changed who may use the team folder %(name)s"),
    "files.download.signed.v1": _("%(actor)s downloaded %(name)s"),
    "files.archive.signed.v1": _("%(actor)s downloaded an archive of files and folders"),
    "files.rewind.started.v1": _("%(actor)s began to rewind %(name)s"),
    "files.rewind.finished.v1": _("The rewind of %(name)s by %(actor)s is over"),
    "files.rules.changed.v1": _("%(actor)s changed which files come into the folder %(name)s"),
    "files.retention.started.v1": _("%(actor)s made the retention rule %(policy)s"),
    "files.retention.changed.v1": _("%(actor)s changed the legal hold or retention rule %(policy)s"),
    "files.retention.lifted.v1": _("%(actor)s lifted the retention rule %(policy)s"),
    "files.retention.applied.v1": _("A retention rule of %(actor)s moved files to the trash: %(trashed_count)s"),
    "annotations.node.tagged.v1": _("%(actor)s changed the tags of %(name)s"),
    "annotations.tag.created.v1": _("%(actor)s created the tag %(name)s"),
    "annotations.tag.changed.v1": _("%(actor)s changed the tag %(name)s"),
    "annotations.tag.deleted.v1": _("%(actor)s deleted a tag"),
    "annotations.metadata.changed.v1": _("%(actor)s changed the metadata of %(name)s"),
    "annotations.description.changed.v1": _("%(actor)s changed the description of %(name)s"),
    "annotations.template.created.v1": _("%(actor)s created the metadata template %(name)s"),
    "annotations.template.changed.v1": _("%(actor)s changed the metadata template %(name)s"),
    "annotations.template.deleted.v1": _("%(actor)s deleted the metadata template %(name)s"),
    "sharing.access.requested.v1": _("%(actor)s asked for access to %(name)s as %(role)s"),
    "sharing.access.answered.v1": _("%(actor)s refused %(person)s access to %(name)s"),
    "sharing.share.granted.v1": _("%(actor)s shared %(name)s with %(principal)s as %(role)s"),
    "sharing.share.changed.v1": _("%(actor)s changed the share of %(name)s with %(principal)s to %(role)s"),
    "sharing.share.revoked.v1": _("%(actor)s ended the share of %(name)s with %(principal)s"),
    "sharing.share.expired.v1": _("The time of the share of %(name)s with %(principal)s is over"),
    "annotations.comment.added.v1": _("%(actor)s commented on %(name)s"),
    "annotations.comment.answered.v1": _("%(actor)s replied to %(person)s in a comment on %(name)s"),
    "annotations.person.mentioned.v1": _("%(actor)s mentioned %(person)s in a comment on %(name)s"),
    "annotations.comment.changed.v1": _("%(actor)s changed, resolved or reopened a comment on %(name)s"),
    "annotations.comment.deleted.v1": _("%(actor)s deleted a comment on %(name)s"),
    "sharing.share.left.v1": _("%(actor)s left the share of %(name)s"),
    "sharing.share.rejoined.v1": _("%(actor)s took back the share of %(name)s that they had left"),
    "links.link.created.v1": _("%(actor)s made a public link to %(name)s"),
    "links.link.changed.v1": _("%(actor)s changed a public link to %(name)s"),
    "links.link.ended.v1": _("%(actor)s ended a public link to %(name)s"),
    "links.link.ending.v1": _("A public link to %(name)s ends within a day"),
    "links.file.received.v1": _("%(actor)s sent %(name)s through a file request"),
    "links.submission.finished.v1": _("%(actor)s sent files to %(name)s through a file request"),
    "links.link.opened.v1": _("%(actor)s opened a public link to %(name)s"),
    "links.link.refused.v1": _("%(actor)s gave a wrong password for a public link to %(name)s"),
    "links.link.downloaded.v1": _("%(actor)s downloaded %(name)s through a public link"),
    "identity.tenant.created.v1": _("The vault was created"),
    "identity.tenant.suspended.v1": _("%(actor)s suspended the vault"),
    "identity.tenant.activated.v1": _("%(actor)s opened the vault again"),
    "identity.tenant.changed.v1": _("%(actor)s changed the settings of the vault"),
    "identity.domain.added.v1": _("%(actor)s named the host name %(domain)s"),
    "identity.domain.proved.v1": _("The host name %(domain)s was proved and leads to the vault"),
    "identity.domain.record_missed.v1": _("The record of %(domain)s is away: administrators were told"),
    "identity.domain.record_found.v1": _("The record of %(domain)s is back"),
    "identity.domain.lost.v1": _("The record of %(domain)s was away for a week: it leads to the vault no more"),
    "identity.domain.removed.v1": _("%(actor)s removed the host name %(domain)s"),
    "identity.domain.primary_chosen.v1": _("%(actor)s chose %(domain)s for mails"),
    "identity.member.added.v1": _("%(actor)s added %(person)s as %(role)s"),
    "identity.tenant.deletion_requested.v1": _("%(actor)s asked for the vault to be deleted"),
    "identity.tenant.deletion_withdrawn.v1": _("%(actor)s took the deletion of the vault back"),
    "identity.role.created.v1": _("%(actor)s made the role %(name)s"),
    "identity.role.changed.v1": _("%(actor)s changed the role %(name)s"),
    "identity.role.deleted.v1": _("%(actor)s deleted the role %(name)s"),
    "identity.member.role_changed.v1": _("%(actor)s changed the role of %(person)s from %(previous_role)s to %(role)s"),
    "identity.member.deactivated.v1": _("%(actor)s deactivated %(person)s"),
    "identity.member.reactivated.v1": _("%(actor)s reactivated %(person)s"),
    "identity.member.picture_changed.v1": _("%(actor)s changed or removed the profile picture of %(person)s"),
    "identity.member.succeeded.v1": _("What %(person)s held goes to %(successor)s"),
    "identity.member.removed.v1": _("%(actor)s removed %(person)s from the vault"),
    "identity.session.started.v1": _("%(person)s signed in"),
    "identity.session.ended.v1": _("A browser of %(person)s was signed out"),
    "identity.token.created.v1": _("%(actor)s created an API token"),
    "identity.token.revoked.v1": _("%(actor)s revoked an API token of %(person)s"),
    "identity.password.changed.v1": _("%(person)s has another password"),
    "identity.email.proved.v1": _("%(person)s confirmed an e-mail address"),
    "identity.impersonation.began.v1": _("%(actor)s of support looks at the vault as %(person)s: %(reason)s"),
    "identity.impersonation.ended.v1": _("%(actor)s of support looks at the vault as %(person)s no more"),
    "identity.impersonation.looked": _("%(actor)s of support looked at %(what)s as %(behalf)s"),
    "identity.impersonation.repeated": _(
        "A page that %(actor)s of support had open as %(behalf)s asked for %(what)s again by itself, %(count)s times"
    ),
    "identity.impersonation.refused": _("%(actor)s of support was refused %(what)s as %(behalf)s"),
    "identity.person.deactivated.v1": _("An operator shut %(person)s out"),
    "identity.person.reactivated.v1": _("An operator let %(person)s in again"),
    "identity.invitation.created.v1": _("%(actor)s invited somebody as %(role)s"),
    "identity.invitation.resent.v1": _("%(actor)s sent an invitation again"),
    "identity.invitation.withdrawn.v1": _("%(actor)s withdrew an invitation"),
    "identity.invitation.accepted.v1": _("%(person)s accepted an invitation"),
    "identity.group.created.v1": _("%(actor)s created the group %(group)s"),
    "identity.group.changed.v1": _("%(actor)s changed the group %(group)s"),
    "identity.group.deleted.v1": _("%(actor)s deleted a group"),
    "identity.group.member_added.v1": _("%(actor)s put %(person)s into the group %(group)s"),
    "identity.group.member_removed.v1": _("%(actor)s took %(person)s out of the group %(group)s"),
    "sync.device.registered.v1": _("%(actor)s connected a device"),
    "sync.device.ended.v1": _("%(actor)s disconnected a device of %(person)s"),
    "sync.conflict.resolved.v1": _("%(actor)s resolved a conflict"),
    "storage.upload.expired.v1": _("An unfinished upload expired"),
    "storage.upload.canceled.v1": _("An operator canceled an upload"),
    "storage.move.started.v1": _("An operator began to move files to another object store"),
    "storage.move.ended.v1": _("A move of files to another object store ended"),
    "storage.tenant.placed.v1": _("New files are kept in another object store"),
    "storage.blobs.collected.v1": _("Bytes that no version holds were deleted from the store"),
    "billing.quota.changed.v1": _("%(actor)s changed the plan or a limit of storage"),
    "billing.scope_limit.changed.v1": _("%(actor)s changed the storage limit of %(person)s"),
    "billing.usage.corrected.v1": _("A recount corrected the storage that is counted as used"),
    "billing.plan.chosen.v1": _("%(actor)s chose the plan %(plan)s"),
    "billing.subscription.started.v1": _("The plan %(plan_name)s is paid for"),
    "billing.subscription.ended.v1": _("The plan %(plan_name)s ended, and the vault has %(new_plan_name)s"),
    "billing.payment.failed.v1": _("A payment for the plan %(plan_name)s is overdue"),
    "billing.payment.reminded.v1": _("Administrators were reminded of a payment for the plan %(plan_name)s"),
    "billing.payment.settled.v1": _("An overdue payment for the plan %(plan_name)s came"),
    "billing.statement.made.v1": _("The statement of %(month)s was made"),
    "admin_platform.feature.chosen.v1": _("%(actor)s changed the feature “%(key)s”"),
    "admin_platform.siem_export.created.v1": _("%(actor)s has the audit log sent to a SIEM"),
    "admin_platform.siem_export.changed.v1": _("%(actor)s changed a SIEM export"),
    "admin_platform.siem_export.restarted.v1": _("%(actor)s had the audit log sent to a SIEM again"),
    "admin_platform.siem_export.failing.v1": _("A SIEM export fails, and administrators are told"),
    "admin_platform.siem_export.recovered.v1": _("A SIEM export works again"),
    "admin_platform.siem_export.deleted.v1": _("%(actor)s ended a SIEM export"),
    "webhooks.webhook.created.v1": _("%(actor)s made a webhook"),
    "webhooks.webhook.changed.v1": _("%(actor)s changed a webhook"),
    "webhooks.webhook.disabled.v1": _("BitVault switched a webhook off"),
    "webhooks.webhook.replayed.v1": _("%(actor)s sent events to a webhook again"),
    "webhooks.webhook.secret_rotated.v1": _("%(actor)s gave a webhook a new secret"),
    "scanning.malware.found.v1": _("Malware was found in %(name)s, and nobody can open it: %(signature)s"),
    "scanning.content.quarantined.v1": _("A content was put into quarantine: %(signature)s"),
    "scanning.content.opened.v1": _("A content can be opened that was closed while it was not scanned"),
    "scanning.content.blocked.v1": _("%(name)s could not be scanned for malware, and stays closed"),
    "scanning.content.released.v1": _("%(actor)s released %(name)s from quarantine: %(reason)s"),
    "scanning.content.discarded.v1": _(
        "%(actor)s moved all files with the content of %(name)s, which is in quarantine, to the trash"
    ),
    "scanning.rule.changed.v1": _("%(actor)s changed how files are scanned for malware"),
    "webhooks.webhook.deleted.v1": _("%(actor)s deleted a webhook"),
    "notifications.long_job.ended.v1": _("A long task that %(person)s had started ended"),
    "events.dead_letter.replayed.v1": _("An operator replayed an event for “%(consumer)s”"),
    "events.dead_letter.dropped.v1": _("An operator dropped an event for “%(consumer)s”"),
    "events.event.skipped.v1": _("An operator skipped an event for “%(consumer)s”"),
    "events.derivation.rebuilt.v1": _("“%(consumer)s” was rebuilt"),
    "events.backup.restored.v1": _("Everything was restored from a backup (%(backup_id)s)"),
}

_ADDED = _("%(actor)s added %(name)s")
_CONFLICT = _("%(actor)s added %(name)s, a conflicted copy")
_BROUGHT_BACK = _("%(actor)s restored an older version of %(name)s")
_RENAMED = _("%(actor)s renamed %(old_name)s to %(name)s")
_UNLOCKED = {
    "forced": _("%(actor)s ended the lock of %(person)s on %(name)s"),
    "expired": _("The time of the lock of %(person)s on %(name)s is over"),
    "departed": _("The lock of %(person)s on %(name)s ended because they left"),
}
_GRANTED = _("%(actor)s gave %(person)s the access to %(name)s that they had asked for")
_FOLDER_LIMIT = _("%(actor)s changed the storage limit of the team folder %(name)s")
_HOLDS: dict[str, "StrOrPromise"] = {
    "files.retention.started.v1": _("%(actor)s put files on legal hold: %(policy)s"),
    "files.retention.lifted.v1": _("%(actor)s lifted the legal hold %(policy)s"),
}
_OTHER = _("%(actor)s: %(type)s")

KNOWN_TYPES = frozenset(_SENTENCES)
"""The types that have a sentence."""


def find_kind(event_type: str) -> Kind:
    """Tell to which kind a type belongs; what has none is administration."""
    return next((kind for kind in (DENIED, *KINDS) if kind.holds(event_type)), ADMINISTRATION)


def find_types(key: str) -> Sequence[str] | None:
    """Give the types of a kind; ``None`` where there is no such kind."""
    return next((kind.types for kind in KINDS if kind.key == key), None)


def tell(event_type: str, payload: Mapping[str, Any], names: Mapping[str, str]) -> list[Piece]:
    """Say what happened, in the current language.

    :param names: ``actor``, ``name``, ``person``, ``successor``, ``group`` and ``principal`` as they are shown.
    """
    facts = {key: f"{_EDGE}{name.replace(_EDGE, '')}{_EDGE}" for key, name in names.items()}
    for field in ("role", "previous_role"):
        facts[field] = str(ROLES.get(str(payload.get(field)), payload.get(field) or gettext("a role")))
    facts["old_name"] = f"{_EDGE}{payload.get('old_name', '')}{_EDGE}"
    facts["policy"] = f"{_EDGE}{str(payload.get('name', '')).replace(_EDGE, '')}{_EDGE}"
    facts["trashed_count"] = str(payload.get("trashed_count", ""))
    facts["what"] = f"{_EDGE}{_name_request(payload)}{_EDGE}"
    facts["consumer"] = str(payload.get("consumer", ""))
    facts["key"] = str(payload.get("key", ""))
    facts |= {field: str(payload.get(field, "")) for field in ("month", "backup_id", "signature", "reason", "domain")}
    facts |= {
        field: f"{_EDGE}{str(payload.get(field, '')).replace(_EDGE, '')}{_EDGE}"
        for field in ("plan", "plan_name", "new_plan_name")
    }
    facts["count"] = str(payload.get("count", ""))
    facts["type"] = event_type.removesuffix(".v1").replace(".", " ").replace("_", " ")
    text = str(_choose(event_type, payload)) % facts
    return [Piece(part, is_name=bool(number % 2)) for number, part in enumerate(text.split(_EDGE)) if part]


def _name_request(payload: Mapping[str, Any]) -> str:
    route = str(payload.get("route", "")).removeprefix("api/v1")
    return f"{payload.get('method', '')} /{route.removeprefix('/')}".strip()


def _choose(event_type: str, payload: Mapping[str, Any]) -> "StrOrPromise":
    match event_type:
        case "files.version.committed.v1" if payload.get("conflict_with_id"):
            return _CONFLICT
        case "files.version.committed.v1" if payload.get("restored_from_id"):
            return _BROUGHT_BACK
        case "files.version.committed.v1" if payload.get("node_created"):
            return _ADDED
        case "files.node.moved.v1" if payload.get("parent_id") == payload.get("old_parent_id"):
            return _RENAMED
        case "files.node.unlocked.v1" if payload.get("cause") in _UNLOCKED:
            return _UNLOCKED[payload["cause"]]
        case "files.retention.started.v1" | "files.retention.lifted.v1" if payload.get("kind") == "hold":
            return _HOLDS[event_type]
        case "sharing.access.answered.v1" if payload.get("granted"):
            return _GRANTED
        case "billing.scope_limit.changed.v1" if payload.get("node_id"):
            return _FOLDER_LIMIT
        case _:
            return _SENTENCES.get(event_type, _OTHER)
