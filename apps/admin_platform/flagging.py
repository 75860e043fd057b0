"""Deciding feature flags: operators for the installation, with a version of each change; administrators for their vault, with an event."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec

from apps.admin_platform import dtos, errors, models
from apps.admin_platform.dtos import Trouble
from apps.admin_platform.flag_provider import PROVIDER
from apps.admin_platform.flag_rules import FlagState, Rule
from bitvault.events.api import publish
from bitvault.events.catalog.admin_platform import FeatureChosen
from bitvault.kernel import clock, db, flags
from bitvault.kernel.actor import Actor
from bitvault.kernel.flags import Flag, Value

UNREAD_AFTER = timedelta(days=30)
"""A flag that nobody has asked for in so long is listed as unread."""

UNDECIDED = FlagState()


# --- operators ---------------------------------------------------------------------------------------------------------------


def set_state(key: str, state: FlagState, *, by: UUID | None, note: str = "") -> int:
    """Decide a flag; returns its version. What is so already makes no other one."""
    with db.public_transaction():
        version = write_state(key, state, by=by, note=note)
    PROVIDER.forget()
    return version


def write_state(key: str, state: FlagState, *, by: UUID | None, note: str = "") -> int:
    """Do the same inside a transaction that is open already."""
    require_fit(_require(key), state)
    models.Flag.objects.bulk_create([models.Flag(key=key)], ignore_conflicts=True)
    row = models.Flag.objects.select_for_update().get(key=key)
    rules = [msgspec.to_builtins(rule) for rule in state.rules]
    if (row.value, row.rules, row.is_forced) == (state.value, rules, state.is_forced) and row.version:
        return row.version
    row.value, row.rules, row.is_forced = state.value, rules, state.is_forced
    row.version, row.changed_at = row.version + 1, clock.now()
    row.save()
    models.FlagVersion.objects.create(
        flag=row,
        version=row.version,
        value=row.value,
        rules=rules,
        is_forced=row.is_forced,
        changed_at=row.changed_at,
        changed_by=by,
        note=note,
    )
    return row.version


def undo(key: str, *, to: int | None = None, by: UUID | None, note: str = "") -> int:
    """Decide a flag as in an earlier version (the one before, or ``to``; 0 is the code's default); returns the new version."""
    with db.public_transaction():
        row = models.Flag.objects.select_for_update().filter(key=key).first()
        if row is None or row.version == 0:
            raise errors.FlagVersionUnknown
        wanted = row.version - 1 if to is None else to
        earlier = models.FlagVersion.objects.filter(flag=row, version=wanted).first()
        if earlier is None and wanted != 0:
            raise errors.FlagVersionUnknown
        state = UNDECIDED if earlier is None else read_state(earlier)
        version = write_state(key, state, by=by, note=note or f"Back to version {wanted}")
    PROVIDER.forget()
    return version


def find_state(key: str) -> FlagState:
    """Read what is decided of a flag."""
    row = models.Flag.objects.filter(key=key).first()
    return UNDECIDED if row is None else read_state(row)


def read_state(row: models.Flag | models.FlagVersion) -> FlagState:
    """Read a row as a decision.

    :raises msgspec.ValidationError: a rule of it is none.
    """
    return FlagState(row.value, tuple(msgspec.convert(row.rules, list[Rule])), row.is_forced)


def require_fit(flag: Flag[Any], state: FlagState) -> None:
    """Refuse a decision with a value that the flag does not take.

    :raises FeatureValueUnfit: there is one.
    """
    for value in (state.value, *(rule.value for rule in state.rules)):
        if value is not None and not flag.accepts(value):
            raise errors.FeatureValueUnfit(**_facts_of(flag))


def list_statuses() -> list[dtos.FlagStatus]:
    """List every flag that the code declares or a row is about, with what is amiss."""
    rows = {row.key: row for row in models.Flag.objects.all()}
    read = dict(models.FlagReading.objects.values_list("key", "last_read_on"))
    declared = {flag.key: flag for flag in flags.list_declared()}
    return [_to_status(key, declared.get(key), rows.get(key), read) for key in sorted({*rows, *declared})]


def find_troubles(flag: Flag[Any] | None, last_read_on: date | None) -> list[Trouble]:
    """Tell what is amiss with a flag: no module declares it, nobody asks for it, or it should be gone by now."""
    if flag is None:
        return ["unknown"]
    today = clock.now().date()
    troubles: list[Trouble] = []
    if last_read_on is None or last_read_on < today - UNREAD_AFTER:
        troubles.append("unread")
    if flag.ends is not None and flag.ends < today:
        troubles.append("ended")
    return troubles


def _to_status(key: str, flag: Flag[Any] | None, row: models.Flag | None, read: Mapping[str, Any]) -> dtos.FlagStatus:
    last = read.get(key)
    return dtos.FlagStatus(
        key=key,
        kind=flag.kind if flag else None,
        owner=flag.owner if flag else "",
        ends=flag.ends if flag else None,
        description=str(flag.description) if flag else "",
        default=flag.default if flag else None,
        value=row.value if row else None,
        rules=row.rules if row else (),
        is_forced=bool(row and row.is_forced),
        version=row.version if row else 0,
        last_read_on=last,
        troubles=find_troubles(flag, last),
    )


# --- tenants -----------------------------------------------------------------------------------------------------------------


def list_features(actor: Actor) -> list[dtos.Feature]:
    """List the flags as they hold for the actor."""
    choices = PROVIDER.find_decided(actor.tenant.id).choices
    return [_to_feature(flag, actor, choices.get(flag.key)) for flag in flags.list_declared()]


def get_feature(actor: Actor, key: str) -> dtos.Feature:
    """Tell what holds of one flag."""
    return _to_feature(_require(key), actor, PROVIDER.find_decided(actor.tenant.id).choices.get(key))


def choose(actor: Actor, key: str, value: Value | None) -> None:
    """Choose for the entered tenant, or leave it to the operators again (``None``); an event tells of it."""
    flag = _require(key)
    if not flag.for_tenants:
        raise errors.FeatureNotYours
    if value is not None and not flag.accepts(value):
        raise errors.FeatureValueUnfit(**_facts_of(flag))
    with db.public_transaction():
        # The flag's row is locked, so that of two choices at once each tells what was before.
        models.Flag.objects.bulk_create([models.Flag(key=key)], ignore_conflicts=True)
        row = models.Flag.objects.select_for_update().get(key=key)
        if row.is_forced:
            raise errors.FeatureForced(value=flag.value(actor))
        mine = models.FlagChoice.objects.filter(tenant_id=actor.tenant.id, key=key)
        before = mine.values_list("value", flat=True).first()
        if before == value and type(before) is type(value):
            return
        mine.delete()
        if value is not None:
            models.FlagChoice.objects.create(tenant_id=actor.tenant.id, key=key, value=value)
        publish(FeatureChosen(actor_id=actor.user_id, key=key, value=_tell(value), previous_value=_tell(before)))
    PROVIDER.forget()


def _to_feature(flag: Flag[Any], actor: Actor, chosen: Value | None) -> dtos.Feature:
    return dtos.Feature(
        key=flag.key,
        description=str(flag.description),
        kind=flag.kind,
        value=flag.value(actor),
        is_yours=flag.for_tenants,
        chosen=chosen if flag.for_tenants else None,
        variants=flag.variants,
    )


def _tell(value: Value | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _require(key: str) -> Flag[Any]:
    flag = flags.find(key)
    if flag is None:
        raise errors.FeatureUnknown
    return flag


def _facts_of(flag: Flag[Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {"kind": flag.kind}
    if flag.variants:
        facts["variants"] = list(flag.variants)
    if flag.least is not None:
        facts["least"] = flag.least
    if flag.most is not None:
        facts["most"] = flag.most
    return facts


def list_versions(key: str) -> Sequence[models.FlagVersion]:
    """List the versions of a flag, the last one first."""
    return list(models.FlagVersion.objects.filter(flag_id=key).order_by("-version"))


def forget_tenant(tenant_id: UUID) -> None:
    """Delete what a tenant has chosen."""
    with db.public_transaction():
        models.FlagChoice.objects.filter(tenant_id=tenant_id).delete()
