"""Configuration that operators change while everything runs: declared in code with a schema and a default, decided in one place.

A module declares its keys in ``config.py`` of its app and asks ``KEY.get()`` where the value is needed. Who keeps what was decided stands
behind the source that Administration sets; without one, and where nothing was decided, a key has the default, which mostly comes from the
environment.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

import msgspec
import structlog

from bitvault.kernel.errors import ProgrammingError

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

T = TypeVar("T")

logger = structlog.get_logger(__name__)


class DeclaredTwice(ProgrammingError):
    """Two settings want the same key."""


class Unfit(ValueError):
    """A value that the setting does not take; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """A value of the installation that can be changed while it runs."""

    key: str
    """``<module>.<name>``."""
    type: Any
    """What msgspec reads it as: its schema, with bounds."""
    default: Callable[[], T]
    """What holds until somebody decides otherwise."""
    description: "StrOrPromise"
    owner: str
    variable: str = ""
    """The environment variable that the default comes from."""
    is_secret: bool = False
    """A text that nobody is shown again: kept sealed."""
    check: Callable[[T], None] | None = None
    """Refuses, by ``Unfit``, what the schema cannot tell."""

    def read(self, stored: object) -> T:
        """Read a value as JSON has it.

        :raises Unfit: the setting does not take it.
        """
        try:
            value = msgspec.convert(stored, self.type)
        except msgspec.ValidationError as error:
            raise Unfit(str(error)) from error
        if self.check is not None:
            self.check(value)
        return cast("T", value)

    def write(self, value: T) -> Any:
        """Write a value as JSON has it."""
        return msgspec.json.decode(msgspec.json.encode(value))

    @property
    def schema(self) -> dict[str, Any]:
        """What it takes, as JSON Schema."""
        return msgspec.json.schema(self.type)

    def get(self) -> T:
        """Tell what holds: at most 0.8 s old, within a transaction or outside of one.

        What was decided and is not fit for this version of BitVault is passed over.
        """
        stored = _source[0].find(self) if _source else None
        if stored is None:
            return self.default()
        try:
            return self.read(stored)
        except Unfit as error:
            logger.error("config_value_unfit", key=self.key, reason="" if self.is_secret else str(error))  # noqa: TRY400 - where it was read says nothing
            return self.default()


class Source(Protocol):
    """Who knows what was decided."""

    def find(self, setting: Setting[Any]) -> Any | None:
        """Give the value as JSON has it; ``None``: nothing was decided."""


_declared: dict[str, Setting[Any]] = {}
_source: list[Source] = []


def ask(source: Source) -> None:
    """Let settings be read from here; Administration does, when Django starts."""
    _source[:] = [source]


def declare(setting: Setting[T]) -> Setting[T]:
    """Make a setting known; returns it.

    :raises DeclaredTwice: another one has its key.
    """
    if setting.key in _declared:
        raise DeclaredTwice(setting.key)
    _declared[setting.key] = setting
    return setting


def withdraw(setting: Setting[Any]) -> None:
    """Make a setting unknown again."""
    del _declared[setting.key]


def find(key: str) -> Setting[Any] | None:
    """Find a setting that the code declares."""
    return _declared.get(key)


def list_declared() -> list[Setting[Any]]:
    """List the settings that the code declares, by their keys."""
    return [_declared[key] for key in sorted(_declared)]
