"""Transactions, named by intent: the only way to a tenant's tables.

A transaction here is the outermost one and refuses to nest. It chooses the schema and the database role of the entered tenant with
``SET LOCAL``, so the choice ends with the transaction on whatever connection it ran; outside of it the connection's role
has no right to any tenant's schema. Order of locks, everywhere: tree lock → node rows by id → quota row → stream counter (last).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import structlog
from django.db import connection, transaction

from bitvault.kernel import boundary, tenancy
from bitvault.kernel.errors import ProgrammingError

T = TypeVar("T")
Parameters = Mapping[str, Any] | Sequence[Any]

logger = structlog.get_logger(__name__)


class NestedTransaction(ProgrammingError):
    """A transaction was begun inside another one."""


class NoTransaction(ProgrammingError):
    """Something that needs a write transaction ran outside of one."""


class OutsideWorldInTransaction(ProgrammingError):
    """I/O to another system was about to happen while a transaction held its locks."""


class Transaction:
    """An open transaction and what is to happen at its end."""

    def __init__(self, *, writes: bool) -> None:
        self.writes = writes
        self.seq: int | None = None
        self.pending_events: list[Any] = []
        self._last_step: Callable[[Transaction], None] | None = None
        self._has_unsent = False
        self._after_commit: list[Callable[[], None]] = []

    def answer(self, result: T) -> T:
        """Keep ``result`` as what this transaction answers, so that a repeated request gets the same; returns it."""
        keeper = keeper_of_answers.get()
        if keeper is not None:
            keeper(result)
        return result

    def before_commit(self, action: Callable[["Transaction"], None]) -> None:
        """Run ``action`` as the last step of the transaction, once. There is one such step, the stream's numbering.

        :raises ProgrammingError: another is set already; what ran after the numbering would prolong its lock, and could not publish.
        """
        if self._last_step not in (None, action):
            raise ProgrammingError("a transaction has one last step")
        self._last_step = action

    def run_with_next(self, statement: str, parameters: Parameters) -> None:
        """Run a statement of which no result is needed in the round trip of the next one, right before it; at the latest at the end.

        Before the numbering of events, which is the last one, it locks for no longer than that does. What it must not pass over has to
        fail in the statement: then the transaction fails.
        """
        with prepared_cursor() as cursor:
            if cursor.goes_with_next(statement, parameters):
                self._has_unsent = True
            else:
                cursor.execute(statement, parameters)

    def run_last(self, statement: str, parameters: Parameters) -> list[tuple[Any, ...]]:
        """Run the statement that ends the transaction, with COMMIT in the same round trip; returns what it RETURNS.

        What it locks is free again as soon as the commit is durable, whatever this process does meanwhile. If it fails, or COMMIT does, the
        transaction fails as it would have without company. No statement may follow.
        """
        with prepared_cursor() as cursor:
            connection.commit_with_next()  # type: ignore[attr-defined] # of our own backend
            cursor.execute(statement, parameters)
            return list(cursor.fetchall()) if cursor.description else []

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run ``action`` once the transaction is durable. It is a hint: a process that dies first never runs it."""
        self._after_commit.append(action)

    def finish(self) -> None:
        """Run the last step before the commit."""
        if self._last_step is not None:
            self._last_step(self)
        if self._has_unsent:
            connection.say_what_waits()  # type: ignore[attr-defined] # of our own backend

    def announce(self) -> None:
        """Run the hints; a failing one cannot undo what is committed, so it is logged."""
        if self.seq is not None:
            latest_seq.set(self.seq)
        for action in self._after_commit:
            try:
                action()
            except Exception:
                logger.exception("after_commit_failed")


_open: ContextVar[Transaction | None] = ContextVar("bitvault_open_transaction", default=None)
keeper_of_answers: ContextVar[Callable[[Any], None] | None] = ContextVar("bitvault_keeper_of_answers", default=None)
"""Who keeps the answer of a write transaction inside it: idempotency (``bitvault.web``), while a request carries a key."""

latest_seq: ContextVar[int | None] = ContextVar("bitvault_latest_seq", default=None)
"""The stream number of the last mutation of this request or task; answers carry it as ``BitVault-Seq``."""


def find_open() -> Transaction | None:
    """Tell which transaction is open in this context, if any."""
    return _open.get()


def require_writing() -> Transaction:
    """Tell which write transaction is open.

    :raises NoTransaction: there is none.
    """
    tx = _open.get()
    if tx is None or not tx.writes:
        raise NoTransaction("this needs an open write transaction")
    return tx


def forbid_transaction(what: str) -> None:
    """Refuse ``what`` (a call to another system) while locks are held.

    :raises OutsideWorldInTransaction: a transaction is open.
    """
    if _open.get() is not None:
        raise OutsideWorldInTransaction(f"{what} inside a transaction")


def prepared_cursor() -> Any:
    """Open a cursor whose statements the server keeps parsed and planned: for the few that nearly every request runs.

    The plan is made for any value, so a statement belongs here when the same plan is right for all of them: it finds rows by key. One
    with ``LIMIT %s``, or with a condition that a parameter switches off, does not. The server has to be able to tell the types of the
    placeholders, and keeps each text that comes: it is a constant, never made for one call.
    """
    return connection.prepared_cursor()  # type: ignore[attr-defined] # of our own backend


@contextmanager
def write_transaction(*, lock: str | Sequence[str] = (), shared_lock: str | None = None) -> Iterator[Transaction]:
    """Change rows of the entered tenant; all of it or nothing.

    :param lock: name of a lock of this tenant that is held from the first statement to the end; of several, in the order they are taken.
    :param shared_lock: the same, but held together with all others who share it.
    :raises NestedTransaction: another transaction is open.
    :raises NoTenant: no tenant is entered.
    """
    locks = (lock,) if isinstance(lock, str) else lock
    with _transaction(writes=True, tenant=tenancy.current(), locks=locks, shared_lock=shared_lock) as tx:
        yield tx


@contextmanager
def read_transaction(*, frozen: bool = False) -> Iterator[Transaction]:
    """Read rows of the entered tenant.

    :param frozen: let all statements see one instant (REPEATABLE READ), where the rows of several must fit together.
    :raises NestedTransaction: another transaction is open.
    :raises NoTenant: no tenant is entered.
    """
    with _transaction(writes=False, tenant=tenancy.current(), frozen=frozen) as tx:
        yield tx


def set_statement_timeout(*, seconds: int) -> None:
    """Let single statements of the open transaction take this long: those that grow with the tenant. The login role's own limit is 30 s.

    :raises NoTransaction: no write transaction is open.
    """
    require_writing()
    connection.set_statement_timeout(seconds)  # type: ignore[attr-defined] # of our own backend


def write_alone(statement: str, parameters: Parameters) -> list[tuple[Any, ...]]:
    """Change rows of the entered tenant by one statement that is the whole transaction, in one round trip; returns what it RETURNS.

    For doors that many wait for. It can publish no event: those take a ``write_transaction``.

    :raises NestedTransaction: another transaction is open.
    :raises NoTenant: no tenant is entered.
    """
    return _alone(statement, parameters, writes=True)


def read_alone(statement: str, parameters: Parameters) -> list[tuple[Any, ...]]:
    """Read rows of the entered tenant by one statement that is the whole transaction, in one round trip.

    :raises NestedTransaction: another transaction is open.
    :raises NoTenant: no tenant is entered.
    """
    return _alone(statement, parameters, writes=False)


@contextmanager
def public_transaction() -> Iterator[Transaction]:
    """Change rows of the ``public`` schema (identity, plans, flags); events go to the stream of the entered tenant.

    :raises NestedTransaction: another transaction is open.
    """
    with _transaction(writes=True, tenant=None) as tx:
        yield tx


@contextmanager
def _transaction(
    *,
    writes: bool,
    tenant: tenancy.Tenant | None,
    locks: Sequence[str] = (),
    shared_lock: str | None = None,
    frozen: bool = False,
) -> Iterator[Transaction]:
    if _open.get() is not None:
        raise NestedTransaction("transactions do not nest: each door has one of its own")
    tx = Transaction(writes=writes)
    token = _open.set(tx)
    module_token = boundary.transaction_module.set(boundary.current_module())
    try:
        # Durable: inside somebody else's transaction (Django's own `atomic`) nothing would be committed when this says so.
        with transaction.atomic(durable=True):
            if frozen:
                connection.freeze()  # type: ignore[attr-defined] # of our own backend
            if tenant is not None:
                _choose_schema(tenant, read_only=not writes, locks=locks, shared_lock=shared_lock)
            yield tx
            tx.finish()
    finally:
        boundary.transaction_module.reset(module_token)
        _open.reset(token)
    tx.announce()


def _alone(statement: str, parameters: Parameters, *, writes: bool) -> list[tuple[Any, ...]]:
    """Send the choice of schema and the statement as one message, which PostgreSQL runs as one transaction without BEGIN and COMMIT."""
    if connection.in_atomic_block:
        # The statement would not be alone.
        with _transaction(writes=writes, tenant=tenancy.current()):
            return _run(statement, parameters)
    tenant = tenancy.current()
    # Whatever may open the connection anew comes before the foreword, which belongs to one connection.
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    token = _open.set(Transaction(writes=writes))
    try:
        _choose_schema(tenant, read_only=not writes)
        return _run(statement, parameters)
    finally:
        _open.reset(token)


def _run(statement: str, parameters: Parameters) -> list[tuple[Any, ...]]:
    with prepared_cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def _choose_schema(
    tenant: tenancy.Tenant, *, read_only: bool, locks: Sequence[str] = (), shared_lock: str | None = None
) -> None:
    """Set schema and role for this transaction, and take its locks, in the round trip of its first statement."""
    taking = [f"pg_advisory_xact_lock({tenancy.lock_number(lock)})" for lock in locks]
    if shared_lock is not None:
        taking.append(f"pg_advisory_xact_lock_shared({tenancy.lock_number(shared_lock)})")
    connection.enter_schema(tenancy.require_schema_name(tenant.schema), read_only=read_only, locks=taking)  # type: ignore[attr-defined] # of our own backend
