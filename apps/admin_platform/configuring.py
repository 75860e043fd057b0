"""Deciding settings: each change is a version with who and why, and any comes back. Secrets are sealed and never given back."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from apps.admin_platform import dtos, errors, models
from apps.admin_platform.config_source import SOURCE, purpose_of
from bitvault.kernel import clock, config, db, sealing
from bitvault.kernel.config import Setting, Unfit


def set_value(key: str, value: object, *, by: UUID | None, note: str = "", expected_version: int | None = None) -> int:
    """Decide a setting (``None``: its default holds again); returns its version. What is so already makes no other one.

    :param value: as JSON has it.
    :param expected_version: refuse when it has changed since this version.
    """
    with db.public_transaction():
        version = write_value(key, value, by=by, note=note, expected_version=expected_version)
    SOURCE.forget()
    return version


def write_value(
    key: str, value: object, *, by: UUID | None, note: str = "", expected_version: int | None = None
) -> int:
    """Do the same inside a transaction that is open already.

    :raises ConfigUnknown: the code declares no such setting.
    :raises ConfigValueUnfit: it does not take this value.
    :raises ConfigChanged: somebody has changed it meanwhile.
    """
    setting = _require(key)
    plain, sealed = (None, "") if value is None else _encode(setting, value)
    row = _lock(key)
    if expected_version is not None and row.version != expected_version:
        raise errors.ConfigChanged(version=row.version)
    if row.version and row.value == plain and type(row.value) is type(plain) and _is_same(setting, row.sealed, value):
        return row.version
    return _write(row, plain, sealed, by=by, note=note)


def undo(key: str, *, to: int | None = None, by: UUID | None, note: str = "") -> int:
    """Bring back an earlier version (the one before, or ``to``; 0 is the default); returns the new version.

    :raises ConfigVersionUnknown: it never had that one.
    :raises ConfigValueUnfit: this version of BitVault does not take that value any more.
    """
    with db.public_transaction():
        version = write_earlier(key, to=to, by=by, note=note)
    SOURCE.forget()
    return version


def write_earlier(key: str, *, to: int | None = None, by: UUID | None, note: str = "") -> int:
    """Do the same inside a transaction that is open already."""
    setting = _require(key)
    row = _lock(key)
    wanted = row.version - 1 if to is None else to
    earlier = models.ConfigVersion.objects.filter(config=row, version=wanted).first()
    if row.version == 0 or (earlier is None and wanted != 0):
        raise errors.ConfigVersionUnknown
    plain, sealed = (None, "") if earlier is None else (earlier.value, earlier.sealed)
    if plain is not None:
        _encode(setting, plain)
    return _write(row, plain, sealed, by=by, note=note or f"Back to version {wanted}")


def list_statuses() -> list[dtos.ConfigStatus]:
    """List every setting that the code declares or a row is about, with what is amiss; secrets without their values."""
    rows = {row.key: row for row in models.Config.objects.all()}
    declared = {setting.key: setting for setting in config.list_declared()}
    return [_to_status(key, declared.get(key), rows.get(key)) for key in sorted({*rows, *declared})]


def get_status(key: str) -> dtos.ConfigStatus:
    """Tell what holds of one setting.

    :raises ConfigUnknown: there is none of this key.
    """
    setting, row = config.find(key), models.Config.objects.filter(key=key).first()
    if setting is None and row is None:
        raise errors.ConfigUnknown
    return _to_status(key, setting, row)


def list_versions(key: str) -> list[dtos.ConfigVersion]:
    """List the versions of a setting, the last one first."""
    setting = config.find(key)
    is_secret = setting is None or setting.is_secret
    rows: Sequence[models.ConfigVersion] = list(models.ConfigVersion.objects.filter(config_id=key).order_by("-version"))
    return [
        dtos.ConfigVersion(
            version=row.version,
            value=None if is_secret else row.value,
            is_set=row.value is not None or bool(row.sealed),
            changed_at=row.changed_at,
            changed_by=row.changed_by,
            note=row.note,
        )
        for row in rows
    ]


def _encode(setting: Setting[Any], value: object) -> tuple[Any, str]:
    try:
        fit = setting.write(setting.read(value))
    except Unfit as error:
        # The text of the error may repeat the value.
        problem = "It is not what the setting takes" if setting.is_secret else str(error)
        raise errors.ConfigValueUnfit(problem, key=setting.key, schema=setting.schema) from error
    return (None, sealing.seal(fit, purpose=purpose_of(setting.key))) if setting.is_secret else (fit, "")


def _is_same(setting: Setting[Any], sealed: str, value: object) -> bool:
    if not setting.is_secret or not sealed or value is None:
        return not sealed and (value is None or not setting.is_secret)
    try:
        return sealing.unseal(sealed, purpose=purpose_of(setting.key)) == value
    except sealing.Unreadable:
        return False


def _lock(key: str) -> models.Config:
    models.Config.objects.bulk_create([models.Config(key=key)], ignore_conflicts=True)
    return models.Config.objects.select_for_update().get(key=key)


def _write(row: models.Config, plain: Any, sealed: str, *, by: UUID | None, note: str) -> int:
    row.value, row.sealed = plain, sealed
    row.version, row.changed_at = row.version + 1, clock.now()
    row.save()
    models.ConfigVersion.objects.create(
        config=row,
        version=row.version,
        value=plain,
        sealed=sealed,
        changed_at=row.changed_at,
        changed_by=by,
        note=note,
    )
    return row.version


def _to_status(key: str, setting: Setting[Any] | None, row: models.Config | None) -> dtos.ConfigStatus:
    is_set = row is not None and (row.value is not None or bool(row.sealed))
    return dtos.ConfigStatus(
        key=key,
        description=str(setting.description) if setting else "",
        owner=setting.owner if setting else "",
        variable=setting.variable if setting else "",
        schema=setting.schema if setting else {},
        is_secret=setting.is_secret if setting else bool(row and row.sealed),
        is_set=is_set,
        value=None if setting is None or setting.is_secret else setting.write(setting.get()),
        default=None if setting is None or setting.is_secret else setting.write(setting.default()),
        version=row.version if row else 0,
        changed_at=row.changed_at if row else None,
        troubles=find_troubles(setting, row),
    )


def find_troubles(setting: Setting[Any] | None, row: models.Config | None) -> list[dtos.ConfigTrouble]:
    """Tell what is amiss with what was decided: no module declares it, or its value cannot be used."""
    if setting is None:
        return ["unknown"]
    if row is None or (row.value is None and not row.sealed):
        return []
    try:
        setting.read(sealing.unseal(row.sealed, purpose=purpose_of(row.key)) if setting.is_secret else row.value)
    except sealing.Unreadable:
        return ["unreadable"]
    except Unfit:
        return ["unfit"]
    return []


def _require(key: str) -> Setting[Any]:
    setting = config.find(key)
    if setting is None:
        raise errors.ConfigUnknown
    return setting
