"""django-tenants' backend, made for many short transactions on connections that are kept.

**No session-level ``search_path``.** Every connection starts in ``public`` (the login role's own setting), and ``kernel.db``
chooses a tenant's schema with ``SET LOCAL``. A session-level ``SET`` would outlive its transaction on a pooled connection, and
costs 50–60 µs for each query. Migrations, which run as the owner in a process of their own, still use ``set_schema`` as
django-tenants means it.

**No round trip for formalities.** ``BEGIN``, and whatever else has to be said before the first statement of a transaction,
travels with that statement, and ``COMMIT`` can travel with the last one (``cursors``): a door's transaction costs up to three round
trips less.

**No query to find out that a connection is dead.** A server that has closed a kept connection has said so: the socket is readable then.

**No wait without an end.** Connecting and each statement have deadlines on this side too (``watching``).
"""

import select
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql.operations import DatabaseOperations
from django_tenants.postgresql_backend import base
from psycopg.abc import Buffer
from psycopg.adapt import Loader

from bitvault.kernel import deadlines
from bitvault.kernel.postgres.cursors import AccompaniedCursor, Company, PreparedCursor
from bitvault.kernel.postgres.watching import DatabaseDown, WatchedConnection, outage
from bitvault.kernel.tenancy import PUBLIC_SCHEMA

DatabaseError = base.DatabaseError
IntegrityError = base.IntegrityError


class UtcLoader(Loader):
    """Reads a moment in a session that speaks UTC, ten times as fast as Django's own reader: most of a page's time went there."""

    timezone = UTC

    def load(self, data: Buffer) -> datetime:
        """Read ``2026-11-23 12:00:00.5+00``."""
        return datetime.fromisoformat(bytes(data).decode())


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
        self._company = Company()
        self._keeps_statements = False
        super().__init__(*args, **kwargs)

    def close(self) -> None:
        """Close the connection, and with it whatever path a migration has set on it."""
        super().close()
        self._has_left_public = False

    # --- company -------------------------------------------------------------------------------------------------------------

    def say_before_next(self, statement: str) -> None:
        """Run a statement (whole, without parameters) in the round trip of whatever statement comes next."""
        self._company.before.append(statement)

    def say_what_waits(self) -> None:
        """Run what waits for a next statement that does not come."""
        if self._company.before:
            self.create_cursor().say_before()

    def enter_schema(self, schema: str, *, read_only: bool, locks: Sequence[str]) -> None:
        """Set a tenant's schema and role for the transaction that begins, and take locks, in the round trip of its first statement."""
        path = ", ".join((schema, PUBLIC_SCHEMA, *base.EXTRA_SEARCH_PATHS))
        choices = [f"set_config('search_path', '{path}', true)", f"set_config('role', '{schema}', true)"]
        if read_only:
            choices.append("set_config('transaction_read_only', 'on', true)")
        self.say_before_next(f"SELECT {', '.join([*choices, *locks])}")

    def freeze(self) -> None:
        """Let all statements of the transaction that begins see one instant; before the choice of the schema, which fixes it."""
        self.say_before_next("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

    def commit_with_next(self) -> None:
        """Have the next statement, which is the transaction's last one, take COMMIT along."""
        self._company.after = "COMMIT"

    def set_statement_timeout(self, seconds: int) -> None:
        """Let single statements of the open transaction take this long, for the server and for who waits here."""
        self.say_before_next(f"SET LOCAL statement_timeout = '{seconds}s'")
        self._company.patience_seconds = seconds

    def get_connection_params(self) -> dict[str, Any]:
        """Name the class of cursors, and how long a new connection is waited for."""
        usual = {"connect_timeout": deadlines.current().probe_seconds}
        return {**usual, **super().get_connection_params(), "cursor_factory": AccompaniedCursor}

    def create_cursor(self, name: str | None = None) -> Any:
        """Make a cursor that knows of company; a named one is another protocol, so what goes before is said before."""
        if name is not None:
            self.create_cursor().say_before()
        cursor = super().create_cursor(name)
        if name is None:
            cursor.company = self._company
        return cursor

    def prepared_cursor(self) -> Any:
        """Open a cursor whose statements the server keeps ready, or a usual one where no server process is ours alone."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        if not self._keeps_statements:
            return self.cursor()
        with self.wrap_database_errors:
            cursor = PreparedCursor(self.connection)
            cursor.company = self._company
            return self._prepare_cursor(cursor)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; Django keeps the session in UTC (``USE_TZ``). What was to be said on an earlier connection is not said here.

        :raises DatabaseDown: the database does not answer, or is known not to.
        """
        if "isolation_level" in self.settings_dict["OPTIONS"] or self.pool:
            raise ImproperlyConfigured("This backend knows neither psycopg's pool nor another isolation level.")
        self._company.begin_connection()
        self.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        if outage.is_down:
            outage.count_refusal()
            raise DatabaseDown("the database does not answer")
        try:
            connection = WatchedConnection.connect(**conn_params)
        except psycopg.errors.ConnectionTimeout as error:
            outage.begin()
            raise DatabaseDown("the database takes no connection") from error
        connection.company = self._company
        connection.adapters.register_loader("timestamptz", UtcLoader)
        return connection

    def init_connection_state(self) -> None:
        """Find out whether the server process that answers is the one that was connected to.

        Behind a pooler it is not, and each transaction may meet another one, which knows nothing of what an earlier one prepared.
        """
        super().init_connection_state()
        self._keeps_statements = False
        if settings.BITVAULT_DATABASE_PREPARED_STATEMENTS:
            answering = self.connection.execute("SELECT pg_backend_pid()").fetchone()
            self._keeps_statements = answering == (self.connection.info.backend_pid,)

    def _start_transaction_under_autocommit(self) -> None:
        """Begin with the first statement (Django's hook): psycopg stays in autocommit and leaves BEGIN to us."""
        self._company.before.append("BEGIN")

    def _set_autocommit(self, autocommit: bool) -> None:  # noqa: FBT001 - Django's signature
        # After each transaction Django asks for what holds already; psycopg would ask the connection about its state.
        if self.connection.autocommit != autocommit:
            super()._set_autocommit(autocommit)

    def _commit(self) -> None:
        self._company.end_transaction()
        super()._commit()

    def _rollback(self) -> None:
        self._company.end_transaction()
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
