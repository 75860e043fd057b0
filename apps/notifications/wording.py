"""The sentences: what happened, in the words of page, mail and notice alike."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from apps.notifications.dtos import Piece

Mark = Callable[[str], str]

_EDGE = "\0"
"""Stands around names until a sentence is cut: no name has it."""


def _plain(text: str) -> str:
    return text


def tell(kind: str, facts: dict[str, Any], *, mark: Mark = _plain) -> str:
    """Say what happened, in the current language.

    :param facts: ``actor``, ``name``, ``folder``, ``count``, ``is_folder`` and what the kind has besides.
    :param mark: what is done to names, so that a page can set them off.
    """
    names = {
        key: mark(str(facts.get(key) or ""))
        for key in ("actor", "name", "folder", "old_name", "to_name", "operator", "plan", "new_plan", "domain")
    }
    figures = {name: facts.get(name, 0) for name in ("count", "percent", "file_count", "month", "totals", "reason")}
    return _sentence(kind, facts) % {**names, **figures, "day": _day_of(facts)}


def tell_in_pieces(kind: str, facts: dict[str, Any]) -> list[Piece]:
    """Say it in pieces, so that a page can set names off."""
    text = tell(kind, facts, mark=lambda name: f"{_EDGE}{name.replace(_EDGE, '')}{_EDGE}")
    return [Piece(part, is_name=bool(number % 2)) for number, part in enumerate(text.split(_EDGE)) if part]


def _day_of(facts: dict[str, Any]) -> str:
    """Say on which day (UTC) something ends, in the current language."""
    ends_at = facts.get("ends_at")
    return date_format(datetime.fromisoformat(ends_at), "DATE_FORMAT") if ends_at else ""


def _sentence(kind: str, facts: dict[str, Any]) -> str:
    count = facts["count"]
    if kind in _IN_FOLDER:
        one, many = _IN_FOLDER[kind](count)
        return one if count == 1 else many
    return _OTHERS[kind](facts)


def _changed(facts: dict[str, Any]) -> str:
    return gettext("%(actor)s changed %(name)s")


def _conflict(facts: dict[str, Any]) -> str:
    if facts["is_own"]:
        return gettext("Somebody else had changed the file meanwhile. Your version was kept as %(name)s")
    return gettext("%(actor)s added %(name)s, a conflicted copy")


def _renamed(facts: dict[str, Any]) -> str:
    return gettext("%(actor)s renamed %(old_name)s to %(name)s")


def _shared(facts: dict[str, Any]) -> str:
    if facts["is_direct"]:
        return gettext("%(actor)s shared %(name)s with you")
    if facts.get("to") == "everyone":
        return gettext("%(actor)s shared %(name)s with everyone")
    return gettext("%(actor)s shared %(name)s with %(to_name)s")


def _asked(facts: dict[str, Any]) -> str:
    return gettext("%(actor)s asks for access to %(name)s")


def _locked(facts: dict[str, Any]) -> str:
    return gettext("%(actor)s locked %(name)s")


def _unlocked(facts: dict[str, Any]) -> str:
    return gettext("%(actor)s unlocked %(name)s")


def _lock_ended(facts: dict[str, Any]) -> str:
    if facts["is_direct"]:
        return gettext("%(actor)s ended your lock on %(name)s")
    return gettext("%(actor)s ended the lock of %(to_name)s on %(name)s")


def _held(facts: dict[str, Any]) -> str:
    if facts.get("is_hold"):
        return gettext("%(actor)s put %(name)s on legal hold: nothing in it can be deleted permanently")
    return gettext("%(actor)s made a retention rule for %(name)s")


def _hold_lifted(facts: dict[str, Any]) -> str:
    if facts.get("is_hold"):
        return gettext("%(actor)s lifted a legal hold on %(name)s")
    return gettext("%(actor)s lifted a retention rule for %(name)s")


def _commented(facts: dict[str, Any]) -> str:
    return gettext("%(actor)s commented on %(name)s")


def _mentioned(facts: dict[str, Any]) -> str:
    return gettext("%(actor)s mentioned you in a comment on %(name)s")


def _answered(facts: dict[str, Any]) -> str:
    if facts.get("is_starter"):
        return gettext("%(actor)s replied to your comment on %(name)s")
    return gettext("%(actor)s replied to a comment on %(name)s after you")


def _invited(facts: dict[str, Any]) -> str:
    return gettext("%(actor)s invited somebody")


def _joined(facts: dict[str, Any]) -> str:
    return gettext("%(actor)s joined the vault")


def _signed_in(facts: dict[str, Any]) -> str:
    return gettext("New sign-in to your account")


def _received(facts: dict[str, Any]) -> str:
    return ngettext(
        "%(file_count)s file was sent to %(name)s at your request",
        "%(file_count)s files were sent to %(name)s at your request",
        facts["file_count"],
    )


def _link_used(facts: dict[str, Any]) -> str:
    return ngettext(
        "Your link to %(name)s was opened", "Your link to %(name)s was opened %(count)s times", facts["count"]
    )


def _link_ending(facts: dict[str, Any]) -> str:
    return gettext("Your link to %(name)s ends on %(day)s")


def _quota(facts: dict[str, Any]) -> str:
    is_full = facts.get("percent", 0) >= _FULL
    if facts.get("of") == "user":
        if is_full:
            return gettext("The limit of your files is reached: new files are refused")
        return gettext("Your files take %(percent)s%% of your limit")
    if facts.get("of") == "folder":
        if is_full:
            return gettext("A team folder has reached its limit: new files are refused there")
        return gettext("A team folder takes %(percent)s%% of its limit")
    if is_full:
        return gettext("The vault is full: new files are refused")
    return gettext("The vault is %(percent)s%% full")


def _statement(facts: dict[str, Any]) -> str:
    if facts.get("totals"):
        return gettext("The statement of %(month)s is ready: %(totals)s")
    return gettext("The statement of %(month)s is ready")


def _domain_missed(facts: dict[str, Any]) -> str:
    return gettext(
        "The record that proves %(domain)s is away: unless it comes back, the name leads here no more from %(day)s"
    )


def _domain_found(facts: dict[str, Any]) -> str:
    return gettext("The record that proves %(domain)s is back: the name goes on leading here")


def _domain_lost(facts: dict[str, Any]) -> str:
    return gettext("%(domain)s leads here no more, since the record that proves it stayed away")


def _plan_paid(facts: dict[str, Any]) -> str:
    return gettext("The vault has the plan “%(plan)s” now")


def _plan_ended(facts: dict[str, Any]) -> str:
    if facts.get("cause") == "unpaid":
        return gettext(
            "The plan “%(plan)s” has ended for want of payment: nothing is deleted, and what is new has to fit the plan “%(new_plan)s”"
        )
    return gettext(
        "The plan “%(plan)s” has ended: nothing is deleted, and what is new has to fit the plan “%(new_plan)s”"
    )


def _payment_failed(facts: dict[str, Any]) -> str:
    return gettext(
        "A payment for the plan “%(plan)s” has failed: without it the plan ends on %(day)s, and nothing changes before"
    )


def _payment_reminder(facts: dict[str, Any]) -> str:
    return gettext("The plan “%(plan)s” ends on %(day)s unless the payment that is overdue comes")


def _payment_settled(facts: dict[str, Any]) -> str:
    return gettext("The payment that was overdue has come: the plan “%(plan)s” stays")


def _webhook_off(facts: dict[str, Any]) -> str:
    return gettext("A webhook was switched off because its receiver takes no messages")


def _siem_failing(facts: dict[str, Any]) -> str:
    return gettext("A SIEM export fails: its receiver does not take the audit log")


def _siem_works(facts: dict[str, Any]) -> str:
    return gettext("A SIEM export works again")


def _malware(facts: dict[str, Any]) -> str:
    return gettext("Malware was found in %(name)s: nobody can open it")


def _quarantined(facts: dict[str, Any]) -> str:
    return gettext("Malware was found, and a file is in quarantine")


def _blocked(facts: dict[str, Any]) -> str:
    return gettext("%(name)s could not be scanned for malware, and stays closed")


def _vault_deletion(facts: dict[str, Any]) -> str:
    return gettext("This vault is to be deleted with everything in it on %(day)s")


def _vault_kept(facts: dict[str, Any]) -> str:
    return gettext("This vault is not deleted after all")


def _support(facts: dict[str, Any]) -> str:
    return gettext("%(operator)s of support looks at this vault as one of its members: %(reason)s")


def _job_done(facts: dict[str, Any]) -> str:
    if facts.get("job") == "files.copy":
        return gettext("Your copy of a folder is ready")
    if facts.get("job") == "files.extract":
        return gettext("Your archive is extracted")
    return gettext("Something that you had started is done")


def _job_failed(facts: dict[str, Any]) -> str:
    if facts.get("job") == "files.copy":
        return gettext("A folder could not be copied")
    if facts.get("job") == "files.extract":
        return gettext("An archive could not be extracted")
    return gettext("Something that you had started has failed")


_OTHERS: dict[str, Callable[[dict[str, Any]], str]] = {
    "changed": _changed,
    "conflict": _conflict,
    "renamed": _renamed,
    "shared": _shared,
    "locked": _locked,
    "unlocked": _unlocked,
    "lock_ended": _lock_ended,
    "held": _held,
    "hold_lifted": _hold_lifted,
    "commented": _commented,
    "mentioned": _mentioned,
    "answered": _answered,
    "asked": _asked,
    "invited": _invited,
    "joined": _joined,
    "signed_in": _signed_in,
    "quota": _quota,
    "received": _received,
    "link_ending": _link_ending,
    "link_used": _link_used,
    "statement": _statement,
    "domain_missed": _domain_missed,
    "domain_found": _domain_found,
    "domain_lost": _domain_lost,
    "plan_paid": _plan_paid,
    "plan_ended": _plan_ended,
    "payment_failed": _payment_failed,
    "payment_reminder": _payment_reminder,
    "payment_settled": _payment_settled,
    "webhook_off": _webhook_off,
    "siem_failing": _siem_failing,
    "siem_works": _siem_works,
    "malware": _malware,
    "quarantined": _quarantined,
    "blocked": _blocked,
    "vault_deletion": _vault_deletion,
    "vault_kept": _vault_kept,
    "support": _support,
    "job_done": _job_done,
    "job_failed": _job_failed,
}

_FULL = 100


def _added(count: int) -> tuple[str, str]:
    return (
        gettext("%(actor)s added %(name)s to %(folder)s"),
        ngettext(
            "%(actor)s added %(count)s file to %(folder)s", "%(actor)s added %(count)s files to %(folder)s", count
        ),
    )


def _created(count: int) -> tuple[str, str]:
    return (
        gettext("%(actor)s created the folder %(name)s in %(folder)s"),
        ngettext(
            "%(actor)s created %(count)s folder in %(folder)s",
            "%(actor)s created %(count)s folders in %(folder)s",
            count,
        ),
    )


def _moved(count: int) -> tuple[str, str]:
    return (
        gettext("%(actor)s moved %(name)s to %(folder)s"),
        ngettext(
            "%(actor)s moved %(count)s item to %(folder)s", "%(actor)s moved %(count)s items to %(folder)s", count
        ),
    )


def _trashed(count: int) -> tuple[str, str]:
    return (
        gettext("%(actor)s moved %(name)s from %(folder)s to the trash"),
        ngettext(
            "%(actor)s moved %(count)s item from %(folder)s to the trash",
            "%(actor)s moved %(count)s items from %(folder)s to the trash",
            count,
        ),
    )


def _restored(count: int) -> tuple[str, str]:
    return (
        gettext("%(actor)s restored %(name)s to %(folder)s"),
        ngettext(
            "%(actor)s restored %(count)s item to %(folder)s",
            "%(actor)s restored %(count)s items to %(folder)s",
            count,
        ),
    )


_IN_FOLDER: dict[str, Callable[[int], tuple[str, str]]] = {
    "added": _added,
    "folder_created": _created,
    "moved": _moved,
    "trashed": _trashed,
    "restored": _restored,
}
