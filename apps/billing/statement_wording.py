"""What lines of a statement are called."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.billing.dtos import StatementWords

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

METRICS: dict[str, "StrOrPromise"] = {
    "plan": _("Plan"),
    "live_bytes": _("Files and their versions"),
    "trash_bytes": _("Trash"),
    "derived_bytes": _("Previews"),
    "member_count": _("Members"),
    "guest_count": _("Guests"),
    "uploaded_bytes": _("Uploaded"),
    "uploads_committed_count": _("Uploads"),
    "downloaded_bytes": _("Downloaded"),
    "downloads_signed_count": _("Downloads"),
}

UNITS: dict[str, "StrOrPromise"] = {
    "day": _("days"),
    "GiB month": _("GiB months"),
    "person month": _("person months"),
    "GiB": _("GiB"),
    "1000": _("thousand"),
}


def words() -> StatementWords:
    """Give them in the current language."""
    return StatementWords(
        metrics={name: str(text) for name, text in METRICS.items()},
        units={name: str(text) for name, text in UNITS.items()},
        counting=gettext(
            "Days are those of UTC; each belongs to the plan in force at its end. Each line is rounded once, half to even, to the"
            " currency's smallest unit; totals are sums of lines. 1 GiB is 1,073,741,824 bytes."
        ),
    )
