"""Every event of the catalogue against its golden JSON: what consumers of any age read does not change unnoticed.

A new event gets its file by ``BITVAULT_WRITE_GOLDEN=1 pytest tests/events/test_catalog.py``; a changed one is a new version of the event.
"""

import dataclasses
import importlib
import json
import os
import pkgutil
import re
import types
import typing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from bitvault.events import catalog
from bitvault.events.message import Event

GOLDEN = Path(__file__).parent / "golden"
ACTOR = UUID("01900000-0000-7000-8000-000000000001")
PARTS = {"impersonation": "identity", "domains": "identity"}
"""Files that hold a part of what a producer tells, where that is more than a file takes."""


def every_event():
    for module in pkgutil.iter_modules(catalog.__path__):
        loaded = importlib.import_module(f"{catalog.__name__}.{module.name}")
        for value in vars(loaded).values():
            if (
                isinstance(value, type)
                and issubclass(value, Event)
                and value is not Event
                and value.__module__ == loaded.__name__
            ):
                yield value


EVENTS = sorted(every_event(), key=lambda event: event.type)


def sample(kind, number):
    """Make a value of a type, different for each field."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return sample(next(one for one in arguments if one is not type(None)), number)
    if origin is typing.Literal:
        return arguments[0]
    if origin is not None:
        return [sample(arguments[0], number), sample(arguments[0], number + 50)]
    makers = {
        UUID: lambda: UUID(int=(0x01900000_0000_7000_8000_000000000000 + 16 * number)),
        datetime: lambda: datetime(2026, 11, 23, 12, 0, number, tzinfo=UTC),
        str: lambda: f"text {number} é",
        int: lambda: 1000 + number,
        bool: lambda: True,
    }
    return makers[kind]()


def build(event):
    hints = typing.get_type_hints(event)
    fields = [field.name for field in dataclasses.fields(event) if field.name != "actor_id"]
    return event(actor_id=ACTOR, **{name: sample(hints[name], number) for number, name in enumerate(fields, start=1)})


@pytest.mark.parametrize("event", EVENTS, ids=[event.type for event in EVENTS])
def test_an_event_reads_as_it_always_has(event):
    golden = GOLDEN / f"{event.type}.json"
    payload = build(event).payload()
    if os.environ.get("BITVAULT_WRITE_GOLDEN") and not golden.exists():
        golden.write_text(json.dumps(payload, indent=2, ensure_ascii=False) + "\n")
    assert golden.exists(), "an event without its golden JSON"
    assert payload == json.loads(golden.read_text())


@pytest.mark.parametrize("event", EVENTS, ids=[event.type for event in EVENTS])
def test_an_event_says_what_happened_where_and_in_which_version(event):
    part = event.__module__.rpartition(".")[2]
    module = PARTS.get(part, part)
    assert re.fullmatch(rf"{module}\.[a-z_]+\.[a-z_]+\.v[1-9]\d*", event.type)
    assert event.__doc__


@pytest.mark.parametrize("event_type", [event.type for event in EVENTS])
def test_an_event_has_a_sentence_in_the_audit_log(event_type):
    from apps.admin_platform.ui import wording

    assert event_type in wording.KNOWN_TYPES, "give it a sentence in apps/admin_platform/ui/wording.py"


def test_no_golden_file_is_left_of_an_event_that_is_gone():
    assert {path.stem for path in GOLDEN.glob("*.json")} == {event.type for event in EVENTS}


def test_no_two_events_share_a_type():
    assert len({event.type for event in EVENTS}) == len(EVENTS)


def test_events_cannot_be_changed():
    for event in EVENTS:
        with pytest.raises(dataclasses.FrozenInstanceError):
            build(event).actor_id = None
