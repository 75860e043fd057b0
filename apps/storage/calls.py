"""How a call to the object store is made: its deadlines, its share of the threads, what is repeated, and what its failures are called."""

import functools
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import structlog
import urllib3
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError, HTTPClientError

from apps.storage.errors import StoreFull, StoreUnavailable
from bitvault.kernel import db
from bitvault.kernel.dependencies import Dependency

_NO_ROOM = 507
_NO_ROOM_CODES = ("InsufficientStorage", "XMinioStorageFull", "QuotaExceeded")
_PASSING = (500, 502, 503, 504)
_FIRST_PAUSE_SECONDS = 0.1

logger = structlog.get_logger(__name__)
# It writes the whole URL with every retry. Our own line says what failed, and no log of ours holds a key or a signature.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call to the store may take, and how often what is safe to repeat is repeated; never after a deadline has passed."""

    connect_seconds: float
    read_seconds: float
    repeats: int
    pauses: bool


OF_REQUESTS = Patience(connect_seconds=1, read_seconds=2, repeats=1, pauses=False)
OF_WORKERS = Patience(connect_seconds=3, read_seconds=120, repeats=3, pauses=True)


class Caller(Protocol):
    """What makes calls: a store with the deadlines and the share of its user."""

    patience: Patience
    dependency: Dependency | None


C = TypeVar("C", bound=Caller)
P = ParamSpec("P")
R = TypeVar("R")


class UploadUnknown(Exception):
    """The store knows no such multipart upload: it was completed, aborted, or never was."""


class StoreUnreachable(Exception):
    """No answer came at all, or none in its time: what a breaker counts. Callers get ``StoreUnavailable``."""


class Refused(Exception):
    """The store answered with a status that tells nothing of what was asked."""

    def __init__(self, status: int, code: str = "") -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


def asks_store(*, repeatable: bool) -> Callable[[Callable[Concatenate[C, P], R]], Callable[Concatenate[C, P], R]]:
    """Mark a method that talks to the store: never in a transaction, within the share of requests, and its failures have one name.

    :param repeatable: whether it can be sent again when a connection broke or the store failed.
    """

    def mark(method: Callable[Concatenate[C, P], R]) -> Callable[Concatenate[C, P], R]:
        @functools.wraps(method)
        def asking(self: C, /, *args: P.args, **kwargs: P.kwargs) -> R:
            db.forbid_transaction("a call to the object store")
            repeats = self.patience.repeats if repeatable else 0
            with _within_share(self):
                for turn in range(repeats + 1):
                    try:
                        return method(self, *args, **kwargs)
                    except (ClientError, BotoCoreError, urllib3.exceptions.HTTPError, Refused) as error:
                        if turn == repeats or not _is_passing(error):
                            raise _name(error, method.__name__) from error
                    if self.patience.pauses:
                        time.sleep(_FIRST_PAUSE_SECONDS * 2**turn)
            raise AssertionError  # the last turn has returned or raised

        return asking

    return mark


@contextmanager
def _within_share(caller: Caller) -> Iterator[None]:
    try:
        with caller.dependency.held() if caller.dependency is not None else nullcontext():
            yield
    except StoreUnreachable as error:
        raise StoreUnavailable from error.__cause__


def _is_passing(error: Exception) -> bool:
    """Tell whether the same call may succeed right afterwards: the line broke, or the store failed, and no deadline has passed."""
    match error:
        case ClientError():
            return _status_of(error) in _PASSING
        case Refused():
            return error.status in _PASSING
    return isinstance(error, (ConnectionClosedError, urllib3.exceptions.ProtocolError))


def _name(error: Exception, operation: str) -> Exception:
    """Give a failure of the store the name that it has here, and log it. No log of ours holds a key or a URL."""
    match error:
        case ClientError():
            status, code = _status_of(error), error.response.get("Error", {}).get("Code", "")
        case Refused():
            status, code = error.status, error.code
        case _:
            logger.warning("store_unreachable", operation=operation, error=type(error).__name__)
            is_network = isinstance(error, (HTTPClientError, urllib3.exceptions.HTTPError))
            return StoreUnreachable() if is_network else StoreUnavailable()
    if code == "NoSuchUpload":
        return UploadUnknown()
    logger.warning("store_refused", operation=operation, status=status, code=code)
    return StoreFull() if status == _NO_ROOM or code in _NO_ROOM_CODES else StoreUnavailable()


def _status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
