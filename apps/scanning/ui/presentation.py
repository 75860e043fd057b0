"""What scanning says in words."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from apps.scanning.dtos import Reason, Scan
from bitvault.kernel.scanning import Mode, State, Unscanned

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MODES: dict[Mode, "StrOrPromise"] = {
    "off": _("Not scanned"),
    "scan": _("Scanned; files can be opened meanwhile"),
    "require": _("Scanned; files can be opened once they are clean"),
}

UNSCANNED: dict[Unscanned, "StrOrPromise"] = {
    "allow": _("Can be opened"),
    "block": _("Stay closed"),
}

STATES: dict[State, "StrOrPromise"] = {
    "scanning": _("Being scanned"),
    "clean": _("Nothing was found"),
    "infected": _("Malware was found"),
    "unscanned": _("Not scanned"),
    "released": _("Malware was found, and an administrator has released it"),
}

REASONS: dict[Reason, "StrOrPromise"] = {
    "outage": _("The scanner does not answer. It is tried again."),
    "too_large": _("The file is larger than the scanner looks at."),
    "failed": _("The scanner could not read the file."),
    "damaged": _("The file is damaged in the store."),
}

_CLOSED: dict[State, "StrOrPromise"] = {
    "scanning": _("It can be opened once nothing is found."),
    "infected": _("It is in quarantine: nobody can open it. An administrator of the vault can release it."),
    "unscanned": _("This vault opens no file that was not scanned. Ask an administrator of the vault."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """How it stands with a file, as the details panel says it."""

    state: State
    words: "StrOrPromise"
    reason: "StrOrPromise"
    consequence: "StrOrPromise"
    scan: Scan


def to_line(scan: Scan) -> Line:
    """Say how it stands with a file."""
    return Line(
        state=scan.state,
        words=STATES[scan.state],
        reason=REASONS[scan.reason] if scan.reason else "",
        consequence="" if scan.is_readable else _CLOSED.get(scan.state, ""),
        scan=scan,
    )


def to_mark(scan: Scan) -> dict[str, str] | None:
    """Say it in short, for the row of a list; nothing where there is nothing to heed."""
    if scan.state in ("clean", "released") or (scan.state == "unscanned" and scan.is_readable):
        return None
    return {"state": scan.state, "title": str(STATES[scan.state]), "closed": "" if scan.is_readable else "closed"}
