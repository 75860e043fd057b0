"""Doors between modules: which functions may be called from outside, and how far a call may travel.

A door is a keyword-only function of a module's ``api.py``, marked ``@exposed``. A context variable keeps the chain of modules that a
call has come through. A chain through three modules, and a door entered inside another module's open transaction, are breaches:
they raise in development and tests and are counted in production, where a working answer is worth more than a tidy one.
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

from django.conf import settings
from prometheus_client import Counter

from bitvault.kernel import tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import ProgrammingError

P = ParamSpec("P")
R = TypeVar("R")

CHAIN_LIMIT = 2
"""Modules in one chain. Two keeps every call explainable; a third wants an event or the gateway's fan-out."""

BREACHES = Counter("bitvault_boundary_breaches_total", "Calls that broke a rule between modules", ["rule"])

_chain: ContextVar[tuple[str, ...]] = ContextVar("bitvault_call_chain", default=())
transaction_module: ContextVar[str | None] = ContextVar("bitvault_transaction_module", default=None)
"""Which module opened the transaction that is open now; kept by ``kernel.db``, ``None`` while there is none."""

NO_MODULE = "-"
"""Stands for code outside every module (commands, tasks) as the owner of a transaction."""


class ChainTooLong(ProgrammingError):
    """A call went through three modules."""


class CrossModuleTransaction(ProgrammingError):
    """A door of one module was entered inside a transaction of another."""


def module_of(dotted: str) -> str:
    """Tell which module a dotted Python path lies in: ``apps.files.api`` in ``files``, ``bitvault.events.outbox`` in ``events``."""
    parts = dotted.split(".")
    return parts[1] if len(parts) > 1 and parts[0] in ("apps", "bitvault") else parts[0]


def current_module() -> str:
    """Tell which module the running door belongs to, or ``-`` outside all doors."""
    chain = _chain.get()
    return chain[-1] if chain else NO_MODULE


def exposed(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function a door of its module.

    :raises ChainTooLong: the call has come through two other modules already.
    :raises CrossModuleTransaction: another module's transaction is open.
    :raises TenantMismatch: the ``actor`` belongs to another tenant than the one entered.
    """
    module = module_of(function.__module__)

    @wraps(function)
    def door(*args: P.args, **kwargs: P.kwargs) -> R:
        if args:
            raise TypeError(f"{function.__qualname__} is a door: its parameters are passed by name")
        actor = kwargs.get("actor")
        if isinstance(actor, Actor) and actor.tenant.id != tenancy.current().id:
            raise tenancy.TenantMismatch("the actor belongs to another tenant than the one entered")
        holder = transaction_module.get()
        if holder is not None and holder != module:
            _breach(
                CrossModuleTransaction(f"{module}.{function.__name__} was entered inside a transaction of {holder}")
            )
        chain = _chain.get()
        if not chain or chain[-1] != module:
            chain = (*chain, module)
        if len(set(chain)) > CHAIN_LIMIT:
            _breach(ChainTooLong(" → ".join((*chain, function.__name__))))
        token = _chain.set(chain)
        try:
            return function(*args, **kwargs)
        finally:
            _chain.reset(token)

    door.__exposed__ = module  # type: ignore[attr-defined] # read by the architecture tests
    return door


def _breach(error: ProgrammingError) -> None:
    BREACHES.labels(rule=type(error).__name__).inc()
    if settings.BITVAULT_STRICT_BOUNDARIES:
        raise error
