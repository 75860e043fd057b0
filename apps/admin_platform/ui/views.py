"""The page of the audit log: filters, sentences, details, and where to export and verify it."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.dateparse import parse_date

from apps.admin_platform import api
from apps.admin_platform.dtos import AuditFilter
from apps.admin_platform.ui import presentation, wording
from bitvault.kernel.actor import Actor
from bitvault.kernel.permissions import Permission
from bitvault.web import naming
from bitvault.web.languages import time_zone_of
from bitvault.web.pages import MemberPage, PersonRequest

AUDIT = "/audit/"

SHOWN = 50
"""Entries of one page: two screens."""

_FIELDS = ("person", "kind", "type", "node_id", "address", "from", "to")


@dataclass(frozen=True, slots=True)
class _Wish:
    """What the address asks for: the filter of the door, and the fields as they were understood."""

    wanted: AuditFilter
    fields: dict[str, str] = field(default_factory=dict)


class Audit(MemberPage):
    """The audit log, for those who administer the vault."""

    section = "audit"
    permissions = (Permission.SEE_AUDIT,)

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show a page of it, newest first."""
        actor = request.actor
        wish = _read(request.GET, actor, time_zone_of(request.viewer))
        page = api.list_audit(actor=actor, wanted=wish.wanted, limit=SHOWN, cursor=request.GET.get("cursor") or None)
        rows = presentation.to_rows(actor, page.items)
        more = {**wish.fields, "cursor": page.next_cursor}
        context: dict[str, Any] = {
            "rows": rows,
            "more": f"{AUDIT}?{urlencode(more)}" if page.next_cursor else "",
            "is_first": "cursor" not in request.GET,
            "fields": wish.fields,
            "day_from": wish.fields.get("from", ""),
            "day_to": wish.fields.get("to", ""),
            "kinds": wording.KINDS,
            "export_query": _export_query(wish.wanted),
            "anchor": api.get_anchor_status(actor=actor),
            "chips": _chips(actor, wish.fields),
        }
        return render(request, "admin_platform/audit.html", context)


def _read(given: QueryDict, actor: Actor, zone: str) -> _Wish:
    """Understand the address; what makes no sense filters nothing."""
    texts = {name: given.get(name, "").strip()[:254] for name in _FIELDS}
    first, last = _day(texts["from"]), _day(texts["to"])
    node_id = _uuid(texts["node_id"])
    types = wording.find_types(texts["kind"])
    known = {
        **texts,
        "kind": texts["kind"] if types is not None else "",
        "node_id": str(node_id or ""),
        "from": first.isoformat() if first else "",
        "to": last.isoformat() if last else "",
    }
    wanted = AuditFilter(
        actor_ids=_find_people(actor, texts["person"]) if texts["person"] else None,
        types=(texts["type"],) if texts["type"] else types,
        node_id=node_id,
        address=texts["address"] or None,
        begin=_midnight(first, zone) if first else None,
        end=_midnight(last + timedelta(days=1), zone) if last else None,
    )
    return _Wish(wanted, {name: value for name, value in known.items() if value})


def _find_people(actor: Actor, text: str) -> list[UUID]:
    """Give who is meant: by an id, which names somebody who has left as well, or by a part of a name or address."""
    given = _uuid(text)
    if given is not None:
        return [given]
    return naming.finder().find_people(actor, text)


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone or "UTC"))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _export_query(wanted: AuditFilter) -> str | None:
    """Say the filter as the REST surface takes it, of one person at most; ``None`` where it means several."""
    if wanted.actor_ids is not None and len(wanted.actor_ids) != 1:
        return None
    facts = {
        "actor_id": next(iter(wanted.actor_ids)) if wanted.actor_ids else None,
        "type": ",".join(wanted.types) if wanted.types else None,
        "node_id": wanted.node_id,
        "address": wanted.address,
        "from": wanted.begin.isoformat() if wanted.begin else None,
        "to": wanted.end.isoformat() if wanted.end else None,
    }
    return urlencode({name: value for name, value in facts.items() if value is not None})


def _chips(actor: Actor, fields: dict[str, str]) -> list[dict[str, str]]:
    """Give the filters that have no field of their own, each with the address without it."""
    labels = {}
    if "node_id" in fields:
        labels["node_id"] = presentation.name_node(actor, UUID(fields["node_id"]))
    if "type" in fields:
        labels["type"] = fields["type"]
    return [
        {
            "name": name,
            "value": fields[name],
            "label": label,
            "href": f"{AUDIT}?{urlencode({key: value for key, value in fields.items() if key != name})}",
        }
        for name, label in labels.items()
    ]
