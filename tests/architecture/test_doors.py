"""Rule 6 of docs/architecture.md: doors only. What stands in ``api``, ``dtos`` and ``errors`` could be called over a wire tomorrow."""

import dataclasses
import enum
import importlib
import inspect
import pkgutil
import re
import sys
import types
import typing
from collections import abc
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import ModuleType
from uuid import UUID

import pytest
from django.contrib.sessions.backends.base import SessionBase

from bitvault.events import catalog
from bitvault.events.message import Event
from bitvault.kernel.boundary import exposed
from bitvault.kernel.errors import BitVaultError
from bitvault.kernel.pages import Page
from tests.architecture.sources import ROOT, read_all

MODULES = sorted(
    path.name for path in (ROOT / "apps").iterdir() if (path / "api.py").exists() or (path / "api").is_dir()
)

PLAIN = (str, int, float, bool, bytes, type(None), UUID, datetime, date, timedelta, Decimal)
CONTAINERS = (
    list,
    tuple,
    dict,
    set,
    frozenset,
    abc.Sequence,
    abc.Mapping,
    abc.Set,
    abc.Collection,
    abc.Iterable,
    abc.Iterator,
    Page,
)
STATED = (SessionBase,)
"""The browser's session: Django makes it for each request and identity keeps it, so it is handed over as it is."""


def load(name: str) -> ModuleType:
    return importlib.import_module(name)


# --- doors -----------------------------------------------------------------------------------------------------------------


def list_doors(module: ModuleType) -> list[types.FunctionType]:
    """List what a module's ``api`` offers: every public function that is written there, in a file or in a package of them."""
    return [
        value
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and not name.startswith("_")
        and f"{value.__module__}.".startswith(f"{module.__name__}.")
    ]


def find_faults_of_door(door: types.FunctionType) -> Iterator[str]:
    """Name what keeps a function from being a door."""
    signature = inspect.signature(door)
    for parameter in signature.parameters.values():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            yield f"{door.__name__}: {parameter.name} is not passed by name alone"
    if not hasattr(door, "__exposed__"):
        yield f"{door.__name__}: is not @exposed"
    if not (door.__doc__ or "").strip():
        yield f"{door.__name__}: has no docstring"
    hints = typing.get_type_hints(inspect.unwrap(door))
    for name in (*signature.parameters, "return"):
        if name not in hints:
            yield f"{door.__name__}: {name} has no type"
        else:
            for foreign in find_foreign_types(hints[name]):
                yield f"{door.__name__}: {name} is or holds {foreign!r}"


def find_foreign_types(hint: object, seen: frozenset[object] = frozenset()) -> Iterator[object]:
    """Name what a type holds that does not travel: models, querysets, requests, callables, anything that is no plain value."""
    if hint in seen or hint is typing.Any or isinstance(hint, str | int | typing.TypeVar):
        return
    seen |= {hint}
    origin = typing.get_origin(hint)
    if origin in (typing.Literal, typing.ClassVar):
        return
    if origin in (typing.Union, types.UnionType) or origin in CONTAINERS:
        for part in typing.get_args(hint):
            if part is not Ellipsis:
                yield from find_foreign_types(part, seen)
    elif not isinstance(hint, type):
        yield hint
    elif issubclass(hint, PLAIN) or issubclass(hint, enum.Enum) or hint in CONTAINERS or hint in STATED:
        return
    elif issubclass(hint, BitVaultError):
        return  # what a door raises, a door for several at once gives for each: an error's code and facts travel either way
    elif dataclasses.is_dataclass(hint):
        yield from find_faults_of_value(hint)
        for part in typing.get_type_hints(hint).values():
            yield from find_foreign_types(part, seen)
    else:
        yield hint


def find_faults_of_value(kind: type) -> Iterator[str]:
    """Name what keeps a dataclass from being a value."""
    if not kind.__dataclass_params__.frozen:
        yield f"{kind.__name__} is not frozen"
    if "__slots__" not in vars(kind):
        yield f"{kind.__name__} has no slots"


@pytest.mark.parametrize("module", MODULES)
def test_doors_are_doors(module):
    assert [fault for door in list_doors(load(f"apps.{module}.api")) for fault in find_faults_of_door(door)] == []


@pytest.mark.parametrize("module", MODULES)
def test_a_door_knows_its_module(module):
    assert {door.__exposed__ for door in list_doors(load(f"apps.{module}.api"))} == {module}


@pytest.mark.parametrize("module", MODULES)
def test_dtos_are_frozen_and_slotted(module):
    kinds = [kind for kind in vars(load(f"apps.{module}.dtos")).values() if isinstance(kind, type)]
    own = [kind for kind in kinds if kind.__module__ == f"apps.{module}.dtos" and not issubclass(kind, enum.Enum)]
    assert own
    assert [kind for kind in own if not dataclasses.is_dataclass(kind)] == []
    assert [fault for kind in own for fault in find_faults_of_value(kind)] == []


def test_events_are_values_too():
    """They travel further than any DTO, and are built by name, so that a field can be added between two others."""
    producers = [load(f"{catalog.__name__}.{producer.name}") for producer in pkgutil.iter_modules(catalog.__path__)]
    kinds = [kind for producer in producers for kind in vars(producer).values() if isinstance(kind, type)]
    events = [kind for kind in kinds if issubclass(kind, Event) and kind is not Event]
    assert len(events) > 10
    assert [fault for kind in events for fault in find_faults_of_value(kind)] == []
    assert [kind for kind in events if not all(field.kw_only for field in dataclasses.fields(kind))] == []


# --- planted doors ---------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Loose:
    """A value that can be changed."""

    name: str


def _doors():
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from apps.files.models import Node

    @dataclasses.dataclass(frozen=True, slots=True)
    class Wrapped:
        """A DTO with a model in it."""

        node: Node

    def positional(node_id: UUID) -> None:
        """Take a parameter by position."""

    def collecting(*ids: UUID) -> None:
        """Take parameters by position, any number."""

    def silent(*, node_id: UUID) -> None: ...

    def untyped(*, node_id) -> None:
        """Take anything."""

    def unanswered(*, node_id: UUID):
        """Give anything."""

    def gives_model(*, node_id: UUID) -> Node:
        """Give a model."""

    def takes_model(*, node: Node | None) -> None:
        """Take a model."""

    def gives_models(*, node_id: UUID) -> list[Node]:
        """Give models."""

    def gives_queryset(*, node_id: UUID) -> QuerySet[Node]:
        """Give a queryset."""

    def takes_request(*, request: HttpRequest) -> None:
        """Take a request."""

    def takes_callable(*, then: abc.Callable[[], None]) -> None:
        """Take what cannot travel."""

    def gives_loose(*, node_id: UUID) -> Loose:
        """Give what can be changed."""

    def gives_wrapped(*, node_id: UUID) -> Page[Wrapped]:
        """Give a model inside of a value."""

    return [value for value in locals().values() if inspect.isfunction(value)]


@pytest.mark.parametrize("function", _doors(), ids=lambda function: function.__name__)
def test_a_planted_door_is_found_faulty(function):
    assert list(find_faults_of_door(exposed(function)))


def test_a_function_that_is_not_exposed_is_found():
    def bare(*, node_id: UUID) -> None:
        """Be open to all."""

    assert list(find_faults_of_door(bare)) == ["bare: is not @exposed"]
    assert list(find_faults_of_door(exposed(bare))) == []


# --- errors ----------------------------------------------------------------------------------------------------------------

SHARED = {"request", "access", "platform", "identity"}
"""First words of the codes of the kernel and the toolkit: about the request, about rights, about the installation, about who asks."""

STATED_CODES = {"files.invalid_name": "the kernel refuses names on behalf of files"}

STATED_STATUSES = {
    "platform.lagging": "202: the answer is still being worked out",
    "platform.in_progress": "202: a job makes it",
    "sync.snapshot_being_made": "202: the same",
}


def list_errors() -> list[type[BitVaultError]]:
    """List every error of the product."""
    for source in read_all():
        words = source.path.removesuffix(".py").removesuffix("/__init__").split("/")
        if words[0] in ("apps", "bitvault") and not {"stack", "settings", "asgi", "wsgi"} & set(words):
            load(".".join(words))
    # What another test has planted stands in no module.
    return [
        kind for kind in _below(BitVaultError) if getattr(sys.modules[kind.__module__], kind.__name__, None) is kind
    ]


def _below(kind: type[BitVaultError]) -> Iterator[type[BitVaultError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def find_faults_of_errors(errors: list[type[BitVaultError]]) -> Iterator[str]:
    """Name what is wrong with codes: each is unique, of the form ``<module>.<snake_case>``, and of the module that raises it."""
    owners: dict[str, type[BitVaultError]] = {}
    for kind in dict.fromkeys(errors):
        code = kind.code
        if "code" not in vars(kind) or "title" not in vars(kind):
            yield f"{kind.__name__} has no code or title of its own"
        if not re.fullmatch(r"[a-z]+(?:_[a-z]+)*\.[a-z0-9]+(?:_[a-z0-9]+)*", code):
            yield f"{kind.__name__}: {code} is no code"
        if owners.setdefault(code, kind) is not kind:
            yield f"{kind.__name__}: {code} belongs to {owners[code].__name__}"
        if not 400 <= kind.status <= 599 and code not in STATED_STATUSES:
            yield f"{kind.__name__}: {kind.status} is no status of an error"
        if not (kind.__doc__ or "").strip():
            yield f"{kind.__name__} has no docstring"
        words = kind.__module__.split(".")
        # What is wrong with a request itself is named so wherever it is read.
        shared = SHARED if words[0] == "bitvault" else {"request"} if "rest" in words else set()
        if code.partition(".")[0] not in shared | {words[1]} and code not in STATED_CODES:
            yield f"{kind.__name__}: {code} has the name of another module than {words[1]}"


def test_codes_of_errors_are_stable_names():
    errors = list_errors()
    assert len(errors) > 30
    assert list(find_faults_of_errors(errors)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "files.Not-Snake"},
        {"code": "no_module"},
        {"code": "files.name_taken"},
        {"code": "storage.something"},
        {"title": None},
        {"code": None},
        {"status": 200},
        {"__doc__": ""},
    ],
    ids=str,
)
def test_a_planted_error_is_found_faulty(changes):
    from apps.files.errors import NameTaken
    from bitvault.kernel.errors import Conflict

    good = {
        "code": "files.planted",
        "title": "Planted",
        "status": 409,
        "__doc__": "Planted.",
        "__module__": "apps.files.errors",
    }
    parts = {name: value for name, value in {**good, **changes}.items() if value is not None}
    planted = types.new_class("Planted", (Conflict,), exec_body=lambda namespace: namespace.update(parts))
    assert list(find_faults_of_errors([NameTaken, planted]))


def test_a_good_error_is_not_reported():
    from bitvault.kernel.errors import Conflict

    parts = {"code": "files.planted", "title": "Planted", "__doc__": "Planted.", "__module__": "apps.files.errors"}
    planted = types.new_class("Planted", (Conflict,), exec_body=lambda namespace: namespace.update(parts))
    assert list(find_faults_of_errors([planted])) == []
