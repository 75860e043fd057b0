"""Examples in the OpenAPI document: what the routes that programs use most take and give, told as one story.

A test holds each against the schema that it stands beside.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from bitvault.kernel.permissions import Permission
from bitvault.web.parsers import JSON

OLGA, MIA = "019c8f00-0000-7000-8000-0000000000a1", "019c8f00-0000-7000-8000-0000000000a2"
TENANT, ROOT = "019c8f00-0000-7000-8000-000000000001", "019c8f00-0000-7000-8000-000000000002"
FOLDER, FILE = "019c8f00-0000-7000-8000-000000000010", "019c8f00-0000-7000-8000-000000000020"
VERSION, UPLOAD = "019c8f00-0000-7000-8000-000000000021", "019c8f00-0000-7000-8000-000000000022"
OTHER = "019c8f00-0000-7000-8000-000000000030"
AT, LATER = "2026-11-30T09:15:00Z", "2026-12-31T00:00:00Z"

_CONTENT = b"Minutes of the meeting\n"
_PART_HASH = hashlib.sha256(_CONTENT).hexdigest()
_CONTENT_HASH = hashlib.sha256(bytes.fromhex(_PART_HASH)).hexdigest()
_ALL = ["view", "download", "comment", "add", "edit", "share", "manage"]


@dataclass(frozen=True, slots=True)
class Example:
    """What an operation takes, and what it answers by status; ``None``: nothing, or nothing that needs showing."""

    body: Any = None
    answers: dict[str, Any] | None = None


def _page(*items: Any, **more: Any) -> dict[str, Any]:
    return {"items": list(items), "next_cursor": None, **more}


_FOLDER = {
    "id": FOLDER,
    "kind": "folder",
    "name": "Minutes",
    "parent_id": ROOT,
    "revision": 1,
    "size_bytes": None,
    "media_type": None,
    "content_hash": None,
    "version_id": None,
    "created_at": AT,
    "modified_at": AT,
    "client_modified_at": None,
    "created_by": OLGA,
    "tags": [],
    "trashed_at": None,
    "capabilities": _ALL,
    "name_problems": [],
}
_FILE = {
    **_FOLDER,
    "id": FILE,
    "kind": "file",
    "name": "november.txt",
    "parent_id": FOLDER,
    "size_bytes": len(_CONTENT),
    "media_type": "text/plain",
    "content_hash": _CONTENT_HASH,
    "version_id": VERSION,
}
_RENAMED = {**_FILE, "name": "2026-11.txt", "revision": 2}
_TRASHED = {**_RENAMED, "revision": 3, "trashed_at": AT}
_PART = {
    "number": 1,
    "state": "send",
    "size_bytes": len(_CONTENT),
    "sha256": _PART_HASH,
    "method": "PUT",
    "url": f"https://store.example.com/bitvault/{UPLOAD}/{_PART_HASH}?X-Amz-Signature=…",
    "headers": {"Content-Length": str(len(_CONTENT)), "x-amz-checksum-sha256": "…"},
    "expires_at": "2026-11-30T09:30:00Z",
}
_UPLOAD = {
    "id": UPLOAD,
    "state": "started",
    "size_bytes": len(_CONTENT),
    "part_size_bytes": 8_388_608,
    "part_count": 1,
    "parts": [_PART],
    "expires_at": "2026-12-03T09:15:00Z",
}
_START = {
    "parent_id": FOLDER,
    "name": "november.txt",
    "size_bytes": len(_CONTENT),
    "media_type": "text/plain",
    "part_hashes": [_PART_HASH],
}
_SHARE = {
    "id": OTHER,
    "node_id": FOLDER,
    "principal": {"type": "user", "id": MIA, "name": "Mia", "email": "mia@example.com"},
    "role": "viewer",
    "capabilities": ["view", "download"],
    "expires_at": LATER,
    "granted_by": OLGA,
    "granted_at": AT,
}
_LINK = {"kind": "download", "name": "For the auditor", "password": "copper lantern", "expires_at": LATER}
_TOKEN = {"name": "Nightly backup", "scopes": ["files:read"], "expires_at": LATER}
_WEBHOOK = {"url": "https://example.com/hook", "events": ["files.*"], "description": "Archive", "format": "standard"}
_SIEM = {"url": "https://siem.example.com/services/collector/raw", "description": "SOC"}
_PREFERENCE = {"topic": "followed", "browser": True, "mail": "weekly", "push": True}
_QUIET = {"start": "22:00", "end": "07:00"}

EXAMPLES: dict[str, Example] = {
    "me_get": Example(
        answers={
            "200": {
                "user": {
                    "id": OLGA,
                    "email": "olga@example.com",
                    "name": "Olga",
                    "email_proved": True,
                    "locale": "de",
                    "time_zone": "Europe/Berlin",
                },
                "tenant": {"id": TENANT, "slug": "acme", "name": "Acme"},
                "role": "owner",
                "scopes": ["files:read", "files:write"],
                "permissions": [permission.value for permission in Permission],
                "root_id": ROOT,
                "socket_url": "wss://acme.example.com/ws/sync",
            }
        }
    ),
    "folders_post": Example({"parent_id": ROOT, "name": "Minutes"}, {"201": _FOLDER}),
    "node_detail_get": Example(answers={"200": _FILE}),
    "node_detail_patch": Example({"name": "2026-11.txt"}, {"200": _RENAMED}),
    "node_children_get": Example(answers={"200": _page(_FILE, total_count=1, total_bytes=len(_CONTENT))}),
    "uploads_post": Example(_START, {"201": _UPLOAD}),
    "upload_detail_get": Example(answers={"200": {**_UPLOAD, "parts": [{**_PART, "state": "stored"}]}}),
    "upload_parts_post": Example({"parts": [{"number": 1, "sha256": _PART_HASH}]}, {"200": {"items": [_PART]}}),
    "upload_commit_post": Example(
        {"part_hashes": [_PART_HASH]}, {"201": _FILE, "200": _FILE, "202": {"state": "completing"}}
    ),
    "upload_batch_post": Example({"uploads": [_START]}, {"200": {"items": [{"status": 201, "upload": _UPLOAD}]}}),
    "upload_batch_commit_post": Example(
        {"uploads": [{"id": UPLOAD, "part_hashes": [_PART_HASH]}]},
        {"200": {"items": [{"status": 201, "node": _FILE, "outcome": "created"}]}},
    ),
    "search_get": Example(
        answers={
            "200": _page(
                {
                    "node": _FILE,
                    "path": [{"id": ROOT, "name": "My files", "is_own_root": True}, {"id": FOLDER, "name": "Minutes"}],
                    "highlights": [],
                    "passage": {"text": "Minutes of the meeting", "highlights": [{"start": 15, "end": 22}]},
                    "text": {"state": "searched"},
                    "remark": None,
                },
                as_of_seq=1042,
            )
        }
    ),
    "node_shares_get": Example(answers={"200": _page(_SHARE)}),
    "node_shares_post": Example(
        {"principal": {"type": "user", "id": MIA}, "role": "viewer", "expires_at": LATER, "message": "As agreed."},
        {"201": _SHARE},
    ),
    "node_links_post": Example(
        _LINK,
        {
            "201": {
                "id": OTHER,
                "node_id": FOLDER,
                "kind": "download",
                "name": "For the auditor",
                "slug": "k3V9tQ2mXw7b",
                "has_password": True,
                "starts_at": None,
                "expires_at": LATER,
                "download_limit": None,
                "download_count": 0,
                "request": None,
                "state": "open",
                "created_by": OLGA,
                "created_at": AT,
                "url": "https://acme.example.com/s/k3V9tQ2mXw7b/",
            }
        },
    ),
    "tokens_post": Example(
        _TOKEN, {"201": {**_TOKEN, "id": OTHER, "created_at": AT, "last_used_at": None, "token": "bv_…"}}
    ),
    "changes_get": Example(
        answers={
            "200": {
                "items": [
                    {"seq": 1041, "op": "upsert", "node_id": FILE, "node": _FILE},
                    {"seq": 1042, "op": "removed", "node_id": OTHER, "node": None},
                ],
                "cursor": "AAAAAAAABBI",
                "has_more": False,
                "head_seq": 1042,
                "as_of_seq": 1042,
            }
        }
    ),
    "cursor_post": Example({"cursor": "AAAAAAAABBI"}, {"200": {"seq": 1042, "head_seq": 1042}}),
    "trash_list_get": Example(
        answers={
            "200": _page(
                {
                    **_TRASHED,
                    "root_id": ROOT,
                    "origin_path": "/Minutes",
                    "trashed_by": OLGA,
                    "expires_at": "2026-12-30T09:15:00Z",
                }
            )
        }
    ),
    "trash_restore_post": Example(
        {"on_conflict": "rename"},
        {
            "200": {
                **_RENAMED,
                "revision": 4,
                "root_id": ROOT,
                "path": "/Minutes/2026-11.txt",
                "restored_to": "origin",
            }
        },
    ),
    "notifications_get": Example(
        answers={
            "200": _page(
                {
                    "id": OTHER,
                    "kind": "shared",
                    "text": "Mia shared Photos with you",
                    "actor": {"id": MIA, "name": "Mia"},
                    "node": {"id": FOLDER, "kind": "folder", "name": "Photos"},
                    "folder": None,
                    "count": 1,
                    "occurred_at": AT,
                    "topic": "shared",
                    "is_read": False,
                },
                unread_count=1,
                as_of_seq=1042,
            )
        }
    ),
    "notification_preferences_put": Example(
        {"items": [_PREFERENCE], "quiet_hours": _QUIET}, {"200": {"items": [_PREFERENCE], "quiet_hours": _QUIET}}
    ),
    "webhooks_post": Example(
        _WEBHOOK,
        {
            "201": {
                **_WEBHOOK,
                "id": OTHER,
                "folder_id": None,
                "actor_id": None,
                "enabled": True,
                "disabled_reason": None,
                "disabled_at": None,
                "sent_seq": None,
                "failing_since": None,
                "next_try_at": None,
                "last_success_at": None,
                "previous_secret_until": None,
                "created_by": OLGA,
                "created_at": AT,
                "secret": "whsec_…",
            }
        },
    ),
    "siem_exports_post": Example(
        _SIEM | {"secret": "hec-token"},
        {
            "201": {
                **_SIEM,
                "id": OTHER,
                "has_secret": True,
                "enabled": True,
                "sent_number": 1042,
                "backlog_count": 0,
                "failing_since": None,
                "next_try_at": None,
                "told_at": None,
                "last_failure": "",
                "last_status": None,
                "last_success_at": None,
                "created_at": AT,
            }
        },
    ),
    "events_get": Example(
        answers={
            "200": {
                "items": [
                    {
                        "id": OTHER,
                        "seq": 1042,
                        "type": "files.folder.created.v1",
                        "timestamp": AT,
                        "actor_id": OLGA,
                        "data": {"node_id": FOLDER, "parent_id": ROOT},
                    }
                ],
                "next_after_seq": 1042,
                "as_of_seq": 1042,
            }
        }
    ),
}


def add_examples(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:  # noqa: FBT001 - drf-spectacular's signature
    """Put the examples beside the schemas that they are of."""
    for methods in result["paths"].values():
        for described in methods.values():
            example = EXAMPLES.get(described["operationId"])
            if example is None:
                continue
            if example.body is not None:
                described["requestBody"]["content"][JSON]["example"] = example.body
            for status, answer in (example.answers or {}).items():
                described["responses"][status]["content"][JSON]["example"] = answer
    return result
