"""Roles in words, as lists name them. The dialog's template names them too, and says what each lets people do."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

LABELS: Mapping[str, "StrOrPromise"] = {
    "viewer": _("Can view"),
    "commenter": _("Can comment"),
    "contributor": _("Can add"),
    "editor": _("Can edit"),
    "manager": _("Can manage"),
    "previewer": _("Can preview"),
    "uploader": _("Can only upload"),
    "custom": _("Custom"),
}

FOLDER_ROLES = frozenset({"contributor", "uploader"})
"""Roles that make sense for what something can be added to."""
