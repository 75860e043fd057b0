"""The page of features: which of what operators switch this vault has. Nothing is changed here."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from apps.admin_platform import api
from apps.admin_platform.dtos import Feature
from bitvault.kernel.permissions import Permission
from bitvault.web.pages import MemberPage, PersonRequest
from bitvault.web.sizes import size_in_words


@dataclass(frozen=True, slots=True)
class Line:
    """A feature as it is shown."""

    key: str
    description: str
    value: str
    is_off: bool
    is_yours: bool
    is_chosen: bool


class Features(MemberPage):
    """What the vault has, for those who manage its settings."""

    section = "features"
    permissions = (Permission.MANAGE_SETTINGS,)

    def get(self, request: PersonRequest) -> HttpResponse:
        """List all of them by their keys."""
        lines = [to_line(feature) for feature in api.list_features(actor=request.actor).items]
        return render(request, "admin_platform/features.html", {"features": lines})


def to_line(feature: Feature) -> Line:
    """Say a feature's value as people read it."""
    value = feature.value
    if isinstance(value, bool):
        said = _("on") if value else _("off")
    elif feature.key.endswith("_bytes"):
        said = size_in_words(int(value))
    else:
        said = str(value)
    return Line(feature.key, feature.description, said, value is False, feature.is_yours, feature.chosen is not None)
