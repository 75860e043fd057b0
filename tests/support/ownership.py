"""One writer per table: every statement that tests send is read, and a table is touched by the module that owns it alone.

Which module sends a statement is told by the nearest frame on the stack that lies in a module; what tests send themselves is their own
business. The rule is stricter than rule 2 of docs/architecture.md: nobody reads another module's tables either, and a read transaction writes nothing
(where a test is rolled back, PostgreSQL cannot see to that itself).
"""

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connections
from django.db.backends.signals import connection_created

ROOT = Path(__file__).resolve().parents[2]
PLANTED = ROOT / "tests" / "architecture" / "breaches"
"""What lies below counts as what it stands for: ``breaches/apps/search`` as Search."""

TAKEN_BACK = "-"
NOBODY = "-"
TESTS = "tests"
MIGRATIONS = "migrations"
OPERATORS = "operators"
FREE = (TESTS, MIGRATIONS, OPERATORS)
"""Tests arrange what they like, and a migration is a file of the app whose tables it changes. Django admin shows each module the
tables that the module registered with it; what a screen changes is sent from the module's own ``admin.py`` and judged there."""

STATED_OWNERS = {
    "django_migrations": "identity",  # schemas are migrated by identity's provisioning
    "django_content_type": "identity",  # filled by the migrations
    "auth_permission": "identity",  # the same
    "auth_group": "identity",  # operators' groups are identity's, as operators are
    "auth_group_permissions": "identity",
    "django_admin_log": "gateway",  # Django admin keeps its journal while the gateway serves its screens
}
"""Owners of Django's own tables, which lie in none of our modules."""


class StrangerAtTable(AssertionError):
    """A module sent a statement about a table that another module owns."""


class WriteWhileReading(AssertionError):
    """A read transaction sent a statement that writes."""


# --- what a statement touches ----------------------------------------------------------------------------------------------

_LITERALS = re.compile(
    r"""
      --[^\n]*                      # a remark
    | /\*.*?\*/                     # a longer one
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$  # a dollar-quoted text
    | [eE]?'(?:[^'\\]|''|\\.)*'     # a text
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME = r'(?:"?[\w$]+"?\s*\.\s*)?"?(?P<{}>[\w$]+)"?'
_WRITES = re.compile(
    rf"""
      \bINSERT\s+INTO\s+{_NAME.format("insert")}
    | (?<!\bFOR\s)(?<!\bKEY\s)(?<!\bDO\s)(?<!\bON\s)\bUPDATE\s+(?:ONLY\s+)?{_NAME.format("update")}
    | \bDELETE\s+FROM\s+(?:ONLY\s+)?{_NAME.format("delete")}
    | \bMERGE\s+INTO\s+(?:ONLY\s+)?{_NAME.format("merge")}
    | \bCOPY\s+{_NAME.format("copy")}\s*(?:\([^)]*\)\s*)?FROM\b
    | \bTRUNCATE\s+(?:TABLE\s+)?(?P<truncate>[^;]+)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SHAPING = re.compile(r"\s*(?:CREATE|ALTER|DROP|GRANT|REVOKE|COMMENT)\b", re.IGNORECASE)
"""Begins a statement that makes or changes tables: it names many and reads none."""
_ABOUT_WRITES = re.compile(r"\b(?:CREATE\s+(?:CONSTRAINT\s+)?TRIGGER|GRANT|REVOKE)\b[^;]*", re.IGNORECASE)
"""Statements that name writes (what a trigger waits for, what a role may) and write nothing themselves."""
_WORD = re.compile(r"[\w$]+")
_SPACE = re.compile(r"\s+")
_TRUNCATE_WORDS = {"only", "restart", "continue", "identity", "cascade", "restrict", "public"}


@dataclass(frozen=True)
class Touched:
    """Tables that a statement writes, and known tables that it names at all."""

    written: frozenset[str]
    named: frozenset[str]


@lru_cache(maxsize=8192)
def read(statement: str) -> Touched:
    """Find out what a statement touches. Texts and remarks in it are no part of that."""
    bare = _SPACE.sub(" ", _ABOUT_WRITES.sub(" ", _LITERALS.sub(" ", statement)))
    written: set[str] = set()
    for match in _WRITES.finditer(bare):
        kind = match.lastgroup
        if kind == "truncate":
            written |= {word for word in _WORD.findall(match["truncate"]) if word.lower() not in _TRUNCATE_WORDS}
        elif kind is not None:
            written.add(match[kind])
    named = set() if _SHAPING.match(bare) else owners().keys() & set(_WORD.findall(bare))
    return Touched(frozenset(written), frozenset(named))


@lru_cache(maxsize=1)
def owners() -> dict[str, str]:
    """Map each table to the module that owns it: by its model's app, many-to-many tables too; Django's own as stated."""
    found = dict(STATED_OWNERS)
    for model in apps.get_models(include_auto_created=True):
        if not model.__module__.startswith("django."):
            found[model._meta.db_table] = model._meta.app_label
    return found


def owner_of(table: str) -> str:
    """Tell who owns a table; one without a model goes by the first words of its name (``events_stream_event_2026`` is of the events)."""
    found = owners().get(table)
    if found is not None:
        return found
    labels = [config.label for config in apps.get_app_configs() if table.startswith(f"{config.label}_")]
    return max(labels, key=len, default=NOBODY)


# --- who sends it ----------------------------------------------------------------------------------------------------------


@cache
def module_of_file(filename: str) -> str | None:
    """Tell which module a file belongs to; ``None`` for libraries, and for the kernel, which works for whoever calls it."""
    path = Path(filename)
    for root in (PLANTED, ROOT):
        if path.is_relative_to(root):
            words = path.relative_to(root).parts
            if words == ("apps", "identity", "provisioning.py"):
                return MIGRATIONS  # it runs them, and replays what they have made, rows included
            if words[0] == "apps" and len(words) > 2:
                return words[1]
            if words[0] == "bitvault" and words[1] in ("events", "jobs", "web", "backup", "gateway"):
                return words[1]
            if words[0] == "tests":
                return TESTS
    if "/django/contrib/admin/" in filename:
        return OPERATORS
    return MIGRATIONS if "/django/db/migrations/" in filename else None


def sender() -> str:
    """Tell which module sends the statement that is about to run."""
    frame = sys._getframe(1)
    while frame is not None:
        module = module_of_file(frame.f_code.co_filename)
        if module is not None and frame.f_code.co_filename != __file__:
            return module
        frame = frame.f_back
    return NOBODY


# --- the watch -------------------------------------------------------------------------------------------------------------

changes: Counter[str] = Counter()
"""How many statements have written each table, and how often what was written was taken back; see ``count_changes``."""
breaches: list[AssertionError] = []
"""What was found since a test began: code that swallows the exception does not swallow this."""


def watch(execute: Callable[..., Any], statement: Any, parameters: Any, many: bool, context: dict[str, Any]) -> Any:
    """Stand between Django and the database (``connection.execute_wrapper``)."""
    text = statement if isinstance(statement, str) else statement.as_string(None)
    touched = read(text)
    changes.update(touched.written)
    if text.startswith("ROLLBACK"):
        changes[TAKEN_BACK] += 1
    if touched.named or touched.written:
        for breach in judge(touched, sender(), text):
            breaches.append(breach)
            raise breach
    return execute(statement, parameters, many, context)


def count_changes(*tables: str) -> int:
    """Give a number that differs from the one before when the rows of some tables may be others, as far as this process changes them."""
    return changes[TAKEN_BACK] + sum(changes[table] for table in tables)


def judge(touched: Touched, module: str, statement: str) -> Iterator[AssertionError]:
    """Name what is wrong with a statement that ``module`` sends."""
    from bitvault.kernel import db

    if module in FREE:
        return
    for table in sorted(touched.written | touched.named):
        owner = owner_of(table)
        if owner != module:
            verb = "writes" if table in touched.written else "reads"
            yield StrangerAtTable(f"{module} {verb} {table}, which belongs to {owner}: {statement[:200]}")
    tx = db.find_open()
    if touched.written and tx is not None and not tx.writes:
        yield WriteWhileReading(f"{module} writes in a read transaction: {statement[:200]}")


def _watch_connection(connection: Any, **_: Any) -> None:
    if watch not in connection.execute_wrappers:
        connection.execute_wrappers.append(watch)


def begin() -> None:
    """Watch every connection of this process from now on, those of threads too."""
    connection_created.connect(_watch_connection, dispatch_uid="tests.ownership")
    for connection in connections.all(initialized_only=True):
        _watch_connection(connection)
