"""How entries are written for a SIEM: JSON lines, and CEF inside of syslog (RFC 5424) with counted octets (RFC 6587, RFC 5425)."""

import re
from typing import Any

import msgspec

from apps.admin_platform.dtos import AuditEntry
from bitvault.kernel.tenancy import Tenant

FACILITY = 13
"""“Log audit” (RFC 5424, table 1)."""
NOTICE, WARNING = 5, 4
DENIED_SEVERITY, SEVERITY = 6, 3
"""Of CEF, 0 to 10."""

PAYLOAD_LIMIT = 4000
"""Characters of a payload within CEF: most receivers cut a message at 8 KiB, some throw it away. JSON lines have all of it."""

_MESSAGE_ID = re.compile(r"[^!-~]")
_HEADER = str.maketrans({"\\": "\\\\", "|": "\\|", "\n": " ", "\r": " "})
_EXTENSION = str.maketrans({"\\": "\\\\", "=": "\\=", "\n": "\\n", "\r": "\\r"})


def is_denial(entry: AuditEntry) -> bool:
    """Tell whether an entry is of something that was denied."""
    return entry.type.endswith(".denied") or ".denials." in entry.type


def to_json_line(tenant: Tenant, entry: AuditEntry, *, with_payload: bool) -> bytes:
    """Write an entry as the export of the log does, with whose it is."""
    facts: dict[str, Any] = msgspec.to_builtins(entry)
    if not with_payload:
        del facts["payload"]
    return msgspec.json.encode({"tenant_id": tenant.id, "tenant": tenant.slug, **facts}) + b"\n"


def to_syslog(tenant: Tenant, entry: AuditEntry, *, host: str, with_payload: bool) -> bytes:
    """Write an entry as one message of syslog."""
    priority = FACILITY * 8 + (WARNING if is_denial(entry) else NOTICE)
    message_id = _MESSAGE_ID.sub("_", entry.type)[:32]
    head = f"<{priority}>1 {entry.occurred_at.isoformat()} {host} bitvault - {message_id} - "
    message = (head + to_cef(tenant, entry, with_payload=with_payload)).encode()
    return b"%d %s" % (len(message), message)


def to_cef(tenant: Tenant, entry: AuditEntry, *, with_payload: bool) -> str:
    """Write an entry in ArcSight's Common Event Format, version 0."""
    severity = DENIED_SEVERITY if is_denial(entry) else SEVERITY
    header = "|".join(part.translate(_HEADER) for part in ("BitVault", "BitVault", "1", entry.type, entry.type))
    facts: dict[str, Any] = {
        "rt": round(entry.occurred_at.timestamp() * 1000),
        "externalId": entry.number,
        "suid": entry.actor_id,
        "src": entry.address,
        "deviceExternalId": entry.device_id,
        "cs1Label": "tenant",
        "cs1": tenant.slug,
        **_labelled(2, "node", entry.node_id),
        **_labelled(3, "request", entry.request_id),
        **_labelled(4, "hash", entry.hash),
    }
    if with_payload and entry.payload:
        text = msgspec.json.encode(entry.payload).decode()
        facts["msg"] = text[:PAYLOAD_LIMIT]
        if len(text) > PAYLOAD_LIMIT:
            facts |= _labelled(5, "payloadCharactersCut", len(text) - PAYLOAD_LIMIT)
    extension = " ".join(
        f"{name}={str(value).translate(_EXTENSION)}" for name, value in facts.items() if value not in (None, "")
    )
    return f"CEF:0|{header}|{severity}|{extension}"


def _labelled(number: int, label: str, value: Any) -> dict[str, Any]:
    return {f"cs{number}Label": label, f"cs{number}": value} if value not in (None, "") else {}
