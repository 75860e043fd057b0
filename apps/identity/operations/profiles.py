"""What people say of themselves: name, language, time zone."""

from zoneinfo import available_timezones

from django.conf import settings

from apps.identity import dtos, models, queries
from apps.identity.errors import InvalidLocale, InvalidTimeZone
from apps.identity.operations import texts
from bitvault.kernel import db
from bitvault.kernel.actor import Actor


def update(*, actor: Actor, name: str | None, locale: str | None, time_zone: str | None) -> dtos.User:
    """Change what is given; an empty language or zone leaves the choice to tenant and browser.

    :raises InvalidLabel: the name cannot be used.
    :raises InvalidLocale: no language of the pages.
    :raises InvalidTimeZone: no zone of the IANA database.
    """
    changes: dict[str, str] = {}
    if name is not None:
        changes["name"] = texts.read_label(name, field="name")
    if locale is not None:
        if locale and locale not in dict(settings.LANGUAGES):
            raise InvalidLocale("Choose one of %(choices)s.", choices=", ".join(code for code, _ in settings.LANGUAGES))
        changes["locale"] = locale
    if time_zone is not None:
        if time_zone and time_zone not in available_timezones():
            raise InvalidTimeZone
        changes["time_zone"] = time_zone
    with db.public_transaction():
        if changes:
            models.User.objects.filter(pk=actor.user_id).update(**changes)
        return queries.to_user(models.User.objects.get(pk=actor.user_id))
