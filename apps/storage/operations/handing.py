"""Handing a completion that takes long from a request to a worker: a store may need minutes to put an object together.

The request writes the digests that it was given and that it hands over, and sends a message. The worker verifies and freezes as a request
would, or writes how it failed; the next commit finds the blob, or that failure. The message may be lost and the worker may die: the next
commit sends another one. An attempt that nobody commits again comes to its end as any abandoned one does.
"""

import time
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from apps.storage import models, rows, turns
from apps.storage.errors import ContentMismatch, PartsMissing, StillCompleting, StoreFull, StoreUnavailable, UploadOver
from apps.storage.operations import verifying
from bitvault.kernel import clock, db, tenancy
from bitvault.kernel.deadlines import is_background
from bitvault.kernel.errors import BitVaultError
from bitvault.kernel.tasks import for_tenant
from bitvault.web import valkey

TASK_NAME = "storage.complete_upload"
"""The task that goes on with what was handed over; named here because it is sent from here."""

RESEND = timedelta(seconds=10)
"""After how long a commit takes the message to the worker for lost. A second one costs the worker a look at the row."""

_AT_IT_LEAST = timedelta(seconds=10)
_AT_IT_BYTES_PER_SECOND = 20 * 1024**2
_LOOK_SECONDS = 0.5

_FAILURES: dict[str, type[BitVaultError]] = {
    kind.code: kind for kind in (ContentMismatch, PartsMissing, StoreFull, StoreUnavailable, UploadOver)
}

logger = structlog.get_logger(__name__)


def turn_of(upload_id: UUID) -> AbstractContextManager[bool]:
    """Take the turn to complete an attempt."""
    return turns.taken(f"complete:{upload_id.hex}")


def hand_over(attempt: rows.Attempt, hashes: bytes, *, store_is_at_it: bool) -> None:
    """Let a worker go on with an attempt whose parts have these digests."""
    if attempt.is_handed_over and not store_is_at_it and not _is_message_old(attempt):
        return
    now = clock.now().isoformat()
    completion = {"handed_at": now, "asked_at": now if store_is_at_it else None}
    with db.write_transaction():
        models.Upload.objects.filter(id=attempt.id, state=models.UploadState.STARTED).update(
            part_hashes=hashes, completion=completion
        )
    _send(attempt.id)


def require_ended(attempt: rows.Attempt) -> None:
    """Let a commit pass that may complete the attempt itself; tell how the worker has failed, once.

    :raises StillCompleting: a worker has it, or is about to.
    :raises BitVaultError: what the worker has found.
    """
    completion = attempt.completion
    if completion is None or is_background():
        return
    failure = completion.get("failure")
    if failure is not None:
        take_back(attempt)
        raise _revive(failure)
    if attempt.part_count == 1 or verifying.is_assembled(attempt):
        return  # what is left takes no longer than for a small file
    if not _is_store_at_it(attempt) and attempt.size_bytes <= verifying.PROMPT_BYTES:
        return
    if _is_message_old(attempt):
        with db.write_transaction():
            models.Upload.objects.filter(id=attempt.id, state=models.UploadState.STARTED).update(
                completion={**completion, "handed_at": clock.now().isoformat()}
            )
        _send(attempt.id)
    raise StillCompleting


def take_back(attempt: rows.Attempt) -> None:
    """Let an attempt be as it was before it was handed over: its commit has been refused, and it takes parts again."""
    if attempt.completion is None:
        return
    with db.write_transaction():
        models.Upload.objects.filter(id=attempt.id, state=models.UploadState.STARTED).update(completion=None)


def await_store(attempt: rows.Attempt) -> None:
    """Wait, as a worker, for what the store was asked to do before it is asked again: it would do all of it twice."""
    while _is_store_at_it(attempt) and not verifying.is_assembled(attempt):
        time.sleep(_LOOK_SECONDS)


def note_asked(attempt: rows.Attempt) -> None:
    """Write, before a worker asks the store, that it does: one that takes over from it when it dies waits for the store's answer first."""
    asked_at = clock.now().isoformat()
    with db.write_transaction():
        models.Upload.objects.filter(
            id=attempt.id, state=models.UploadState.STARTED, completion__has_key="handed_at"
        ).update(completion={**(attempt.completion or {}), "asked_at": asked_at})


def note_failure(attempt: rows.Attempt, error: BitVaultError) -> None:
    """Write how a completion ended, for the next commit to tell."""
    failure = {"code": error.code, "detail": error.detail, "facts": error.facts}
    with db.write_transaction():
        models.Upload.objects.filter(id=attempt.id, state=models.UploadState.STARTED).update(
            completion={"failure": failure}
        )
    logger.info("completion_failed", upload_id=str(attempt.id), code=error.code)


def give_up(upload_id: UUID) -> None:
    """Write that the store did not answer as long as a worker tried."""
    attempt = rows.find_alone(upload_id)
    if attempt is not None and attempt.completion is not None:
        note_failure(attempt, StoreUnavailable())


def _is_message_old(attempt: rows.Attempt) -> bool:
    handed_at = (attempt.completion or {})["handed_at"]
    return clock.now() - datetime.fromisoformat(handed_at) > RESEND


def _is_store_at_it(attempt: rows.Attempt) -> bool:
    asked_at = (attempt.completion or {}).get("asked_at")
    if asked_at is None:
        return False
    needed = max(_AT_IT_LEAST, timedelta(seconds=attempt.size_bytes / _AT_IT_BYTES_PER_SECOND))
    return clock.now() - datetime.fromisoformat(asked_at) < needed


def _revive(failure: dict[str, Any]) -> BitVaultError:
    """Make the error anew that a worker has noted; those with arguments of their own are filled without them."""
    kind = _FAILURES.get(failure["code"], StoreUnavailable)
    error = kind.__new__(kind)
    BitVaultError.__init__(error, failure["detail"], **failure["facts"])
    return error


def _send(upload_id: UUID) -> None:
    try:
        valkey.require_answer()
        current_app.send_task(
            TASK_NAME, [str(upload_id)], headers=for_tenant(tenancy.current().id), ignore_result=True, retry=False
        )
    except (OperationalError, OSError, RedisError) as error:
        logger.info("completion_message_lost", error=type(error).__name__)
