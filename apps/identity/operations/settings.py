"""What administrators set for their tenant: its name, the language and zone that its pages begin with, and its policies."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings

from apps.identity import colours, dtos, models, policies, queries
from apps.identity.errors import InvalidLocale, InvalidPolicy, InvalidTimeZone
from apps.identity.operations import texts
from bitvault.events.api import publish
from bitvault.events.catalog.identity import TenantChanged
from bitvault.kernel import db, file_rules
from bitvault.kernel.actor import Actor

DOMAINS_LIMIT = 100
"""Domains that people may be invited from: a group of companies, and a list that is read by eye."""

EXTENSIONS_LIMIT = 200
"""Extensions that are refused, or alone allowed: more than programs have that run on some system."""

LARGEST_FILE_BYTES = 5 * 1024**4
"""Where a largest file ends: what any store takes; who wants more wants no limit."""

LONGEST_DAYS = 3650
"""Days that a longest end may be away: ten years; who wants more wants no limit."""

VERSIONS_LIMIT = 10_000
"""Earlier versions that a rule may keep of a file: who wants more wants no limit."""


def update(
    *,
    actor: Actor,
    name: str | None,
    locale: str | None,
    time_zone: str | None,
    accent: tuple[str, str | None] | None,
    changes: dict[str, Any],
) -> None:
    """Change what is given; what holds already is no change and no event.

    :param accent: the colours on light and dark pages; without a dark one it is made of the light one, two empty ones are BitVault's own.
    :raises InvalidLabel, InvalidLocale, InvalidTimeZone, InvalidDomain, InvalidPolicy, ColourUnfit: that value cannot be used.
    """
    wanted: dict[str, Any] = {}
    if name is not None:
        wanted["name"] = texts.read_label(name, field="name")
    if locale is not None:
        if locale and locale not in dict(settings.LANGUAGES):
            raise InvalidLocale("Choose one of %(choices)s.", choices=", ".join(code for code, _ in settings.LANGUAGES))
        wanted["locale"] = locale
    if time_zone is not None:
        if time_zone and time_zone not in available_timezones():
            raise InvalidTimeZone
        wanted["time_zone"] = time_zone
    if accent is not None:
        chosen = colours.read(*accent) if accent[0] else dtos.Colours("", "")
        wanted |= {"accent_light": chosen.light, "accent_dark": chosen.dark}
    read = _read_changes(changes)
    with db.public_transaction() as tx:
        row = models.Tenant.objects.select_for_update().get(pk=actor.tenant.id)
        before = policies.read(row.policies)
        after = replace(before, **read)
        if after.file_types == "only" and not after.file_extensions:
            raise InvalidPolicy("Name the types of files that may come in.", field="file_extensions")
        changed = [field for field, value in wanted.items() if getattr(row, field) != value]
        set_policies = {key: value for key, value in asdict(after).items() if value != getattr(before, key)}
        if not changed and not set_policies:
            return
        for field in changed:
            setattr(row, field, wanted[field])
        row.policies = asdict(after)
        row.save(update_fields=[*changed, "policies"])
        told = [f"{key}={json.dumps(value)}" for key, value in set_policies.items()]
        publish(TenantChanged(changed=changed, policies=told, actor_id=actor.user_id))
        tx.after_commit(queries.forget_remembered)
        tx.after_commit(policies.forget_remembered)


def _read_changes(changes: dict[str, Any]) -> dict[str, Any]:
    read = dict(changes)
    if _is_outside(read.get("longest_days"), LONGEST_DAYS):
        raise InvalidPolicy("An end is between 1 and 3650 days away.", field="longest_days")
    largest = read.get("largest_file_bytes")
    if largest is not None and not 1 <= largest <= LARGEST_FILE_BYTES:
        raise InvalidPolicy("The largest file has between 1 byte and 5 TB.", field="largest_file_bytes")
    if "file_extensions" in read:
        read["file_extensions"] = _read_extensions(read["file_extensions"])
    if _is_outside(read.get("versions_keep_count"), VERSIONS_LIMIT):
        raise InvalidPolicy("A file keeps between 1 and 10000 earlier versions.", field="versions_keep_count")
    if _is_outside(read.get("versions_keep_days"), LONGEST_DAYS):
        raise InvalidPolicy("Earlier versions are kept for 1 to 3650 days.", field="versions_keep_days")
    for field in ("allowed_domains", "guest_domains"):
        if field in read:
            read[field] = _read_domains(read[field], field)
    return read


def _read_extensions(given: Sequence[str]) -> tuple[str, ...]:
    named = [text for text in given if text.strip()]
    if len(named) > EXTENSIONS_LIMIT:
        raise InvalidPolicy("These are more than 200 types.", field="file_extensions")
    read: list[str] = []
    for text in named:
        extension = file_rules.read_extension(text)
        if extension is None:
            raise InvalidPolicy("Write each type like .exe or .tar.gz.", field="file_extensions", value=text)
        read.append(extension)
    return tuple(dict.fromkeys(read))


def _is_outside(figure: int | None, largest: int) -> bool:
    return figure is not None and not 1 <= figure <= largest


def _read_domains(given: Sequence[str], field: str) -> tuple[str, ...]:
    named = [str(text).strip().lower().removeprefix("@") for text in given]
    if len(named) > DOMAINS_LIMIT:
        raise InvalidPolicy("These are more than 100 domains.", field=field)
    return tuple(dict.fromkeys(texts.read_mail_domain(text) for text in named if text))


def show(actor: Actor) -> dtos.TenantSettings:
    """Give the tenant as its people see it, with what its policies leave to the one who asks."""
    row = models.Tenant.objects.get(pk=actor.tenant.id)
    return dtos.TenantSettings(
        id=row.id,
        slug=row.slug,
        name=row.name,
        locale=row.locale,
        time_zone=row.time_zone,
        colours=dtos.Colours(row.accent_light, row.accent_dark) if row.accent_light else None,
        logo_id=row.logo_id,
        policies=policies.read(row.policies),
        permitted=policies.resolve(actor),
    )
