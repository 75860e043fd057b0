"""How changes of a plan and of limits are written for people."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import ngettext as counted

from apps.billing.dtos import FigureChange, FigureWords, PlanChange, PlanChangeWords
from bitvault.web.sizes import size_in_words

_LABELS = {
    "plan": gettext_lazy("Plan"),
    "plan_name": gettext_lazy("Name of the plan"),
    "given_bytes": gettext_lazy("Storage"),
    "own_limit_bytes": gettext_lazy("Own lower limit"),
    "file_limit_bytes": gettext_lazy("Largest file"),
    "trash_days": gettext_lazy("Days in the trash"),
    "member_limit": gettext_lazy("Members"),
    "guest_limit": gettext_lazy("Guests"),
    "link_limit": gettext_lazy("Links"),
    "currency": gettext_lazy("Currency"),
    "month_price": gettext_lazy("Price of a month"),
    "prices": gettext_lazy("Prices of what is used"),
    "own_figures": gettext_lazy("Given instead of the plan's"),
}

_OWN = {
    "limit_bytes": gettext_lazy("Storage"),
    "file_limit_bytes": gettext_lazy("Largest file"),
    "trash_days": gettext_lazy("Days in the trash"),
    "member_limit": gettext_lazy("Members"),
    "guest_limit": gettext_lazy("Guests"),
    "link_limit": gettext_lazy("Links"),
}


def word_changes(
    found: Sequence[PlanChange], names: Mapping[UUID, str], *, operator: str | None
) -> list[PlanChangeWords]:
    """Give changes as a page shows them.

    :param operator: what an operator is called; ``None``: by name.
    """
    return [
        PlanChangeWords(
            changed_at=one.changed_at,
            by=_name(one, names, operator),
            why=gettext("The plan itself was changed, for all who have it") if one.is_of_plan else "",
            lines=word_figures(one.changes),
        )
        for one in found
    ]


def _name(one: PlanChange, names: Mapping[UUID, str], operator: str | None) -> str:
    known = names.get(one.actor_id) if one.actor_id is not None else None
    match one.changed_by:
        case "operator":
            return operator or known or gettext("an operator who is gone")
        case "command":
            return operator or "manage.py"
        case "payment":
            return gettext("Payment, chosen by %(name)s") % {"name": known} if known else gettext("Payment")
    return known or gettext("Somebody who has left")


def word_figures(changes: Sequence[FigureChange]) -> list[FigureWords]:
    """Say each figure that was changed, with what it was and is."""
    names = {one.name for one in changes}
    # Another plan has another name.
    shown = [one for one in changes if one.name != "plan" or "plan_name" not in names]
    return [
        FigureWords(
            label=str(
                _LABELS["plan"] if one.name == "plan_name" and "plan" in names else _LABELS.get(one.name, one.name)
            ),
            before=_write(one.name, one.before),
            after=_write(one.name, one.after),
            is_told=one.name != "prices",
        )
        for one in shown
    ]


def _write(name: str, value: str | int | None) -> str:
    if name == "own_figures":
        return ", ".join(str(_OWN.get(one, one)) for one in str(value or "").split(", ") if one) or gettext("nothing")
    if value is None:
        return gettext("none") if name == "own_limit_bytes" else gettext("no limit")
    if name.endswith("_bytes"):
        return str(size_in_words(int(value)))
    if name == "trash_days":
        return counted("%(count)s day", "%(count)s days", int(value)) % {"count": value}
    return str(value)
