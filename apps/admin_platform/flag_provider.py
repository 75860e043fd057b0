"""The OpenFeature provider: what tables say, remembered by this process for 0.8 s, so that a change holds everywhere within a second."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import FlagNotFoundError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from apps.admin_platform import models
from apps.admin_platform.flag_rules import Asker, FlagState, decide, read_rules
from bitvault.kernel import clock, db, flags, policies, tenancy
from bitvault.kernel.flags import Value
from bitvault.kernel.remembered import Remembered

UNDECIDED = FlagState()

_REASONS = {
    "choice": Reason.TARGETING_MATCH,
    "rule": Reason.TARGETING_MATCH,
    "value": Reason.STATIC,
    "default": Reason.DEFAULT,
}

_NOTE_READINGS = """
INSERT INTO public.admin_platform_flag_reading (key, last_read_on) SELECT key, %s FROM unnest(%s::text[]) AS read(key) ORDER BY key
ON CONFLICT (key) DO UPDATE SET last_read_on = EXCLUDED.last_read_on
WHERE admin_platform_flag_reading.last_read_on < EXCLUDED.last_read_on
"""


class Decided(msgspec.Struct, frozen=True):
    """What operators have decided, and what one tenant has chosen."""

    states: Mapping[str, FlagState]
    choices: Mapping[str, Value]


class Readings:
    """Which flags this process has read: written once a day each, so that flags which nobody reads can be listed."""

    def __init__(self) -> None:
        self._day: date | None = None
        self._read: set[str] = set()
        self._written: set[str] = set()

    def note(self, key: str) -> None:
        """Note that a flag was read."""
        self._read.add(key)

    def write(self) -> None:
        """Write down what was read, unless a transaction is open: then it waits for another time."""
        today = clock.now().date()
        if today != self._day:
            self._day, self._written = today, set()
        fresh = sorted(self._read - self._written)
        if fresh and db.find_open() is None:
            with connection.cursor() as cursor:
                cursor.execute(_NOTE_READINGS, [today, fresh])
            self._written.update(fresh)
            self._read.clear()


class FlagProvider(AbstractProvider):
    """Answers from BitVault's own tables."""

    def __init__(self) -> None:
        super().__init__()
        self.readings = Readings()
        self._remembered: Remembered[UUID | None, Decided] = Remembered()

    def forget(self) -> None:
        """Ask anew: a flag has changed in this process."""
        self._remembered.forget()

    def get_metadata(self) -> Metadata:
        """Give the provider's name."""
        return Metadata("bitvault")

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001 - OpenFeature's signature
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Tell whether it is on."""
        return self._resolve(flag_key, evaluation_context)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """Tell its text or variant."""
        return self._resolve(flag_key, evaluation_context)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """Tell its number."""
        return self._resolve(flag_key, evaluation_context)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """Refuse: no flag is a fraction."""
        raise FlagNotFoundError(f"no flag of fractions: {flag_key}")

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """Refuse: no flag is an object."""
        raise FlagNotFoundError(f"no flag of objects: {flag_key}")

    def _resolve(self, key: str, context: EvaluationContext | None) -> FlagResolutionDetails[Any]:
        flag = flags.find(key)
        if flag is None:
            raise FlagNotFoundError(f"no module declares the flag {key}")
        self.readings.note(key)
        context = context or EvaluationContext()
        tenant_id = context.attributes.get("tenant_id")
        decided = self.find_decided(UUID(str(tenant_id)) if tenant_id else None)
        asker = Asker(context.targeting_key, context.attributes, _find_plan)
        value, because = decide(flag, decided.states.get(key, UNDECIDED), decided.choices.get(key), asker)
        variant = value if isinstance(value, str) and flag.variants else because
        return FlagResolutionDetails(value=value, variant=variant, reason=_REASONS[because])

    def find_decided(self, tenant_id: UUID | None) -> Decided:
        """Give what is decided, at most 0.8 s old."""
        decided = self._remembered.get(tenant_id, lambda: self._read(tenant_id))
        assert decided is not None  # noqa: S101 - for the type: it is always something
        return decided

    def _read(self, tenant_id: UUID | None) -> Decided:
        self.readings.write()
        rows = models.Flag.objects.values_list("key", "value", "rules", "is_forced")
        states = {key: FlagState(value, read_rules(key, rules), forced) for key, value, rules, forced in rows}
        if tenant_id is None:
            return Decided(states=states, choices={})
        chosen = models.FlagChoice.objects.filter(tenant_id=tenant_id).values_list("key", "value")
        return Decided(states=states, choices=dict(chosen))


def _find_plan() -> str | None:
    return policies.current().plan if tenancy.find_current() is not None else None


PROVIDER = FlagProvider()
