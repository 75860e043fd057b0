"""Rules of feature flags: for whom a value holds. Nothing here asks the database."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
import structlog

from bitvault.kernel.flags import Flag, Value

logger = structlog.get_logger(__name__)

PARTS = 10_000
"""A share is told to a hundredth of a per cent."""

Names = Annotated[tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=80)], ...], msgspec.Meta(max_length=1000)]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A value for whom all that is said here fits; what is empty fits everybody."""

    value: bool | int | str
    environments: Names = ()
    tenants: Names = ()
    """Slugs."""
    plans: Names = ()
    """Slugs."""
    roles: tuple[Literal["owner", "admin", "member", "viewer", "guest"], ...] = ()
    percent: Annotated[float, msgspec.Meta(ge=0, le=100)] = 100
    """For this share of people or tenants, always the same ones: whoever is in at 10 is in at 20."""
    per: Literal["person", "tenant"] = "person"


class FlagState(msgspec.Struct, frozen=True):
    """What operators have decided: the first rule that fits, else ``value``, else the code's default."""

    value: bool | int | str | None = None
    rules: tuple[Rule, ...] = ()
    is_forced: bool = False
    """Whether it holds also for tenants that have chosen otherwise."""


def read_rules(key: str, stored: Sequence[Any]) -> tuple[Rule, ...]:
    """Read the rules of a flag as they are stored. One that another version of BitVault wrote and this one cannot read fits nobody."""
    found = []
    for one in stored:
        try:
            found.append(msgspec.convert(one, Rule))
        except msgspec.ValidationError as error:
            logger.error("flag_rule_unreadable", flag=key, reason=str(error))  # noqa: TRY400 - where it was read says nothing
    return tuple(found)


class Asker:
    """Who asks. The plan is looked up only where a rule names one."""

    def __init__(self, person: str | None, attributes: Mapping[str, Any], find_plan: Callable[[], str | None]) -> None:
        self.person = person
        self.tenant_id: str | None = attributes.get("tenant_id")
        self._attributes = attributes
        self._find_plan = find_plan

    def is_among(self, names: Sequence[str], attribute: str) -> bool:
        """Tell whether an attribute is one of these; no names fit everybody."""
        return not names or self._attributes.get(attribute) in names

    def has_plan(self, plans: Sequence[str]) -> bool:
        """Tell whether the tenant has one of these plans."""
        return not plans or self._find_plan() in plans


def decide(flag: Flag[Any], state: FlagState, choice: Value | None, asker: Asker) -> tuple[Value, str]:
    """Give what holds for whoever asks, and why: ``choice``, ``rule``, ``value`` or ``default``.

    A value that the flag does not take any more is passed over.
    """
    if choice is not None and flag.for_tenants and not state.is_forced and flag.accepts(choice):
        return choice, "choice"
    for rule in state.rules:
        if flag.accepts(rule.value) and _fits(rule, flag.key, asker):
            return rule.value, "rule"
    if state.value is not None and flag.accepts(state.value):
        return state.value, "value"
    return flag.default, "default"


def _fits(rule: Rule, key: str, asker: Asker) -> bool:
    return (
        asker.is_among(rule.environments, "environment")
        and asker.is_among(rule.tenants, "tenant")
        and asker.is_among(rule.roles, "role")
        and _is_in_share(rule, key, asker)
        and asker.has_plan(rule.plans)
    )


def _is_in_share(rule: Rule, key: str, asker: Asker) -> bool:
    if rule.percent >= 100:  # noqa: PLR2004 - all of them
        return True
    unit = asker.person if rule.per == "person" else asker.tenant_id
    return unit is not None and part_of(key, unit) < rule.percent * PARTS / 100


def part_of(key: str, unit: str) -> int:
    """Give the place of a person or tenant among ``PARTS``: another one for each flag, and the same for ever."""
    return int.from_bytes(hashlib.sha256(f"{key}:{unit}".encode()).digest()[:8]) % PARTS
