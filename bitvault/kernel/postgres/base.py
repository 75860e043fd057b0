"""django-tenants' backend, made for many short transactions on connections that are kept.

**No session-level ``search_path``.** Every connection starts in ``public`` (the login role's own setting), and ``kernel.db``
chooses a tenant's schema with ``SET LOCAL``. A session-level ``SET`` would outlive its transaction on a pooled connection, and
costs 50–60 µs for each query. Migrations, which run as the owner in a process of their own, still use ``set_schema`` as
django-tenants means it.

**No round trip for formalities.** ``BEGIN``, and whatever else has to be said before the first statement of a transaction,
travels with that statement (the simple query protocol takes several at once): a door's transaction costs two round trips less.
Under a lock this is worth more than its own time, for whoever holds it waits for the interpreter after each answer.

**No query to find out that a connection is dead.** A server that has closed a kept connection has said so: the socket is readable then.
"""

import select
from datetime import UTC, datetime
from typing import Any, Self

from django.conf import settings
from django.db.backends.postgresql.base import CursorMixin
from django.db.backends.postgresql.operations import DatabaseOperations
from django_tenants.postgresql_backend import base
from psycopg import ClientCursor, Cursor
from psycopg._cursor_base import BaseCursor
from psycopg.abc import Buffer
from psycopg.adapt import Loader

from bitvault.kernel.tenancy import PUBLIC_SCHEMA

DatabaseError = base.DatabaseError
IntegrityError = base.IntegrityError


class UtcLoader(Loader):
    """Reads a moment in a session that speaks UTC, ten times as fast as Django's own reader: most of a page's time went there."""

    timezone = UTC

    def load(self, data: Buffer) -> datetime:
        """Read ``2026-11-23 12:00:00.5+00``."""
        return datetime.fromisoformat(bytes(data).decode())


class Foreword(BaseCursor[Any, Any]):
    """What a cursor's next statement is preceded by."""

    foreword: list[str] = []
    """Shared by all cursors that Django opens on a connection; empty once it has been said. Those that psycopg is asked for have none."""

    def take_foreword(self) -> str:
        """Give what is still to be said, which thereby is said."""
        before = "; ".join(self.foreword)
        self.foreword.clear()
        return before


class ForewordCursor(Foreword, CursorMixin, ClientCursor[Any]):
    """Django's usual cursor, whose next statement takes along what has to be said before it."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        """Run a statement, and the foreword before it in the same round trip; the cursor holds the statement's own result."""
        if not self.foreword:
            return super().execute(query, params, **options)
        count = len(self.foreword)
        # Merged without parameters of their own, so that psycopg does not keep a parsed copy for each foreword there is.
        super().execute(f"{self.take_foreword()}; {self.mogrify(query, params)}", **options)
        for _ in range(count):
            self.nextset()
        return self

    def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
        """Run a statement many times, after the foreword."""
        self.say_foreword()
        super().executemany(query, params_seq, **options)

    def copy(self, *args: Any, **options: Any) -> Any:
        """Copy rows in or out, after the foreword."""
        self.say_foreword()
        return super().copy(*args, **options)

    def say_foreword(self) -> None:
        """Say what is still to be said, in a round trip of its own."""
        if self.foreword:
            super().execute(self.take_foreword())


class PreparedCursor(Foreword, CursorMixin, Cursor[Any]):
    """A cursor whose statements the server keeps parsed and planned, for those that are run all day long.

    Half of what a small statement costs is that. The foreword goes before in a round trip of its own: the protocol of prepared
    statements takes one at a time.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        """Run a statement, after the foreword."""
        if self.foreword:
            super().execute(self.take_foreword(), prepare=False)
        return super().execute(query, params, prepare=True, **options)


class Operations(DatabaseOperations):
    """What Django knows of PostgreSQL's statements."""

    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        """Write a statement out with its parameters, for whoever records queries; a prepared one never was in one piece."""
        if isinstance(cursor, PreparedCursor):
            return str(self.compose_sql(sql, params))
        return super().last_executed_query(cursor, sql, params)


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc] # django-tenants has no types
    """A PostgreSQL connection that stays in ``public`` until somebody migrates a schema on it."""

    ops_class = Operations

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._has_left_public = False
        self._foreword: list[str] = []
        super().__init__(*args, **kwargs)

    def close(self) -> None:
        """Close the connection, and with it whatever path a migration has set on it."""
        super().close()
        self._has_left_public = False

    # --- forewords ---------------------------------------------------------------------------------------------------------

    def say_before_next(self, statement: str) -> None:
        """Run a statement (whole, without parameters) in the round trip of whatever statement comes next."""
        self._foreword.append(statement)

    def get_connection_params(self) -> dict[str, Any]:
        """Name the class of cursors, and let :class:`PreparedCursor` prepare at once, unless a pooler in between cannot keep up."""
        prepare_threshold = 0 if settings.BITVAULT_DATABASE_PREPARED_STATEMENTS else None
        return {
            **super().get_connection_params(),
            "cursor_factory": ForewordCursor,
            "prepare_threshold": prepare_threshold,
        }

    def create_cursor(self, name: str | None = None) -> Any:
        """Make a cursor that knows the foreword; a named one is another protocol, so it is said before."""
        if name is not None and self._foreword:
            self.create_cursor().say_foreword()
        cursor = super().create_cursor(name)
        if name is None:
            cursor.foreword = self._foreword
        return cursor

    def prepared_cursor(self) -> Any:
        """Open a cursor whose statements the server keeps ready (:class:`PreparedCursor`)."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            cursor = PreparedCursor(self.connection)
            cursor.foreword = self._foreword
            return self._prepare_cursor(cursor)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; Django keeps the session in UTC (``USE_TZ``). What was to be said on an earlier connection is not said here."""
        self._foreword.clear()
        connection = super().get_new_connection(conn_params)
        connection.adapters.register_loader("timestamptz", UtcLoader)
        return connection

    def _start_transaction_under_autocommit(self) -> None:
        """Begin with the first statement (Django's hook): psycopg stays in autocommit and leaves BEGIN to us."""
        self._foreword.append("BEGIN")

    def _set_autocommit(self, autocommit: bool) -> None:  # noqa: FBT001 - Django's signature
        # After each transaction Django asks for what holds already; psycopg would ask the connection about its state.
        if self.connection.autocommit != autocommit:
            super()._set_autocommit(autocommit)

    def _commit(self) -> None:
        self._foreword.clear()
        super()._commit()

    def _rollback(self) -> None:
        self._foreword.clear()
        super()._rollback()

    # --- health ------------------------------------------------------------------------------------------------------------

    def is_usable(self) -> bool:
        """Tell whether the connection lives. While nobody has asked it anything, only its end (or a notice of it) can make it readable."""
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0) or bool(super().is_usable())

    def _handle_search_path(self, cursor: Any = None) -> None:
        if self.schema_name != PUBLIC_SCHEMA:
            self._has_left_public = True
        if self._has_left_public:
            super()._handle_search_path(cursor)
