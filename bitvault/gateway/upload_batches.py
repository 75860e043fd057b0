"""Many small files at once: the steps of ``uploads`` for up to 500 of them, each step one call of its module.

One file's refusal is no other's: each has a result of its own, in the order of the request. A batch that is sent again gives the same
results, as its uploads do. What is no file of one part, or no plain one, goes the way of a single upload inside the batch.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from rest_framework.response import Response

from apps.billing import api as billing
from apps.files import api as files
from apps.files.dtos import Node
from apps.files.dtos.uploads import Committed, UploadGrant, UploadWish, VerifiedUpload
from apps.files.errors import UploadGivenUp
from apps.storage import api as storage
from apps.storage.dtos import UPLOAD_LIFETIME, NewUpload, Upload, Verified
from apps.storage.errors import UploadNotFound, UploadOver
from bitvault.events.api import answer_with_head
from bitvault.gateway import uploads
from bitvault.gateway.uploads import Sha256, StartUpload
from bitvault.kernel import clock, db, ids, media_types
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import BitVaultError, Gone, Invalid
from bitvault.web.limits.policies import RouteClass
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body
from bitvault.web.views import View

BATCH_LIMIT = 500
"""Files of one request: some 300 ms of work, and a body of 200 kB."""

Outcome = Literal["created", "updated", "identical", "renamed", "conflicted_copy"]


class StartUploads(Body, frozen=True):
    """Files that are to come."""

    uploads: Annotated[list[StartUpload], msgspec.Meta(min_length=1, max_length=BATCH_LIMIT)]


class CommitOne(Body, frozen=True):
    """The end of one of the uploads."""

    id: UUID
    part_hashes: Annotated[list[Sha256], msgspec.Meta(max_length=10_000)] = []  # msgspec copies an empty list for each


class CommitUploads(Body, frozen=True):
    """The end of several uploads."""

    uploads: Annotated[list[CommitOne], msgspec.Meta(min_length=1, max_length=BATCH_LIMIT)]


class StartedItem(msgspec.Struct, frozen=True):
    """What became of one start: the upload, or the problem that it would have had by itself."""

    status: int
    upload: Upload | None = None
    problem: dict[str, Any] | None = None


class StartedItems(msgspec.Struct, frozen=True):
    """One result for each file, in order."""

    items: list[StartedItem]


class CommittedItem(msgspec.Struct, frozen=True):
    """What became of one commit: the node, or the problem that it would have had by itself; with 202, neither yet."""

    status: int
    node: Node | None = None
    outcome: Outcome | None = None
    problem: dict[str, Any] | None = None


class CommittedItems(msgspec.Struct, frozen=True):
    """One result for each upload, in order."""

    items: list[CommittedItem]


def start(actor: Actor, wanted: Sequence[StartUpload]) -> list[Upload | BitVaultError]:
    """Begin uploads; one answer for each."""
    answers: dict[int, Upload | BitVaultError] = {}
    plain = {number: each for number, each in enumerate(wanted) if _is_plain(each)}
    answers |= _start_plain(actor, plain)
    for number, each in enumerate(wanted):
        if number not in answers:
            answers[number] = _start_alone(actor, each)
    return [answers[number] for number in range(len(wanted))]


def _start_alone(actor: Actor, wanted: StartUpload) -> Upload | BitVaultError:
    """Begin one the single way; the answer that is kept under a key is that of the batch."""
    token = db.keeper_of_answers.set(None)
    try:
        return uploads.start(actor, wanted)
    except BitVaultError as error:
        return error
    finally:
        db.keeper_of_answers.reset(token)


def _is_plain(wanted: StartUpload) -> bool:
    """Tell whether it is a file of one part, announced, that means no version of another."""
    return (
        wanted.mode != "update"
        and wanted.node_id is None
        and wanted.base_version_id is None
        and len(wanted.part_hashes) == 1
        and storage.has_one_part(size_bytes=wanted.size_bytes)
    )


def _start_plain(actor: Actor, wanted: Mapping[int, StartUpload]) -> dict[int, Upload | BitVaultError]:
    answers: dict[int, Upload | BitVaultError] = {}
    types: dict[int, str | None] = {}
    for number, each in wanted.items():
        try:
            types[number] = None if each.media_type is None else media_types.parse(each.media_type)
        except BitVaultError as error:
            answers[number] = error
    if not types:
        return answers
    wishes = [_to_wish(wanted[number]) for number in types]
    granted: dict[int, UploadGrant] = {}
    for number, answer in zip(types, files.authorise_uploads(actor=actor, wishes=wishes), strict=True):
        if isinstance(answer, UploadGrant):
            granted[number] = answer
        else:
            answers[number] = answer
    hashes = {
        n: storage.find_content_hash(size_bytes=wanted[n].size_bytes, part_hashes=wanted[n].part_hashes)
        for n in granted
    }
    contents = [(content_hash, wanted[n].size_bytes) for n, content_hash in hashes.items() if content_hash is not None]
    known = files.find_readable_blobs(actor=actor, wanted=contents)
    upload_ids = {number: ids.new_id() for number in granted}
    sizes = {upload_ids[number]: wanted[number].size_bytes for number in granted}
    roots = {upload_ids[number]: grant.root_id for number, grant in granted.items() if grant.root_id is not None}
    promised = billing.reserve_many(actor=actor, sizes=sizes, expires_at=clock.now() + UPLOAD_LIFETIME, roots=roots)
    roomy = [number for number in granted if upload_ids[number] in promised]
    for number, grant in granted.items():
        if upload_ids[number] not in promised:
            answers[number] = billing.explain_refusal(
                actor=actor, size_bytes=wanted[number].size_bytes, root_id=grant.root_id
            )
    news = [
        NewUpload(
            id=upload_ids[number],
            size_bytes=wanted[number].size_bytes,
            sha256=wanted[number].part_hashes[0],
            media_type=types[number] or media_types.guess(granted[number].name),
            destination=msgspec.to_builtins(granted[number]),
            base_blob_id=None,
            known_blob_id=known.get((hashes[number] or "", wanted[number].size_bytes)),
            client_modified_at=_to_utc(wanted[number]),
        )
        for number in roomy
    ]
    try:
        started = storage.start_uploads(actor=actor, wanted=news)
    except Exception:
        billing.release_many(upload_ids=promised)
        raise
    refused = [new.id for new, answer in zip(news, started, strict=True) if not isinstance(answer, Upload)]
    if refused:
        billing.release_many(upload_ids=refused)
    return answers | dict(zip(roomy, started, strict=True))


def _to_wish(wanted: StartUpload) -> UploadWish:
    return UploadWish(
        parent_id=wanted.parent_id,
        name=wanted.name,
        mode="overwrite" if wanted.mode == "overwrite" else "add",
        autorename=wanted.autorename,
        size_bytes=wanted.size_bytes,
    )


def _to_utc(wanted: StartUpload) -> Any:
    moment = wanted.client_modified_at
    return None if moment is None else clock.to_utc(moment)


def commit(actor: Actor, wanted: Sequence[CommitOne], *, made_on: str | None = None) -> list[CommittedItem]:
    """Make versions of what has arrived; one result for each.

    :param made_on: what the sender is called; without it the device or the way in.
    """
    asked = [(each.id, each.part_hashes) for each in wanted]
    verified: dict[UUID, Verified] = {}
    results: dict[UUID, CommittedItem] = {}
    for (upload_id, _), outcome in zip(asked, storage.complete_uploads(actor=actor, wanted=asked), strict=True):
        if outcome is None:
            results[upload_id] = CommittedItem(status=202)
        elif isinstance(outcome, Verified):
            if "name" in outcome.destination:
                verified[upload_id] = outcome
            else:
                results[upload_id] = _refused(UploadNotFound())
        else:
            results[upload_id] = _refused(outcome)
    before = [upload_id for upload_id, each in verified.items() if each.committed]
    found = files.find_all_committed(actor=actor, upload_ids=before)
    for upload_id in before:
        each = verified.pop(upload_id)
        gone = Gone("The file of this upload is not there any more.")
        results[upload_id] = _committed(each, found[upload_id]) if upload_id in found else _refused(gone)
    made = files.commit_uploads(
        actor=actor,
        uploads=[_to_files(each) for each in verified.values()],
        made_on=made_on or uploads.name_sender(actor),
    )
    done: dict[UUID, Committed] = {}
    for (upload_id, each), version in zip(verified.items(), made, strict=True):
        if isinstance(version, Committed):
            done[upload_id] = version
            results[upload_id] = _committed(each, version)
        else:
            results[upload_id] = _refused(UploadOver() if isinstance(version, UploadGivenUp) else version)
    if db.latest_seq.get() is None:
        answer_with_head()
    if done:
        billing.settle_many(
            sizes={key: verified[key].size_bytes if each.version_created else 0 for key, each in done.items()}
        )
        storage.finish_uploads(kept={key: each.version_created for key, each in done.items()})
    return [results[each.id] for each in wanted]


def _to_files(verified: Verified) -> VerifiedUpload:
    return VerifiedUpload(
        upload_id=verified.upload_id,
        grant=msgspec.convert(verified.destination, UploadGrant),
        blob_id=verified.blob_id,
        size_bytes=verified.size_bytes,
        content_hash=verified.content_hash,
        media_type=verified.media_type,
        client_modified_at=verified.client_modified_at,
    )


def _committed(verified: Verified, done: Committed) -> CommittedItem:
    grant = msgspec.convert(verified.destination, UploadGrant)
    outcome: Outcome = "created"
    if not done.version_created:
        outcome = "identical"
    elif grant.mode == "update" and grant.node_id != done.node.id:
        outcome = "conflicted_copy"
    elif done.node.revision > 1:
        outcome = "updated"
    elif done.node.name != grant.name:
        outcome = "renamed"
    return CommittedItem(status=201 if done.created else 200, node=done.node, outcome=outcome)


def _refused(error: BitVaultError) -> CommittedItem:
    return CommittedItem(status=error.status, problem=error.as_problem())


class UploadBatch(View):
    """Several uploads of the caller."""

    limit_class = RouteClass.UPLOAD

    @operation(body=StartUploads, answer=StartedItems, repeatable=True)
    def post(self, request: ActorRequest) -> Response:
        """Begin up to 500 uploads; each has a result of its own, in order.

        Meant for files of one part that are announced by `part_hashes`; others may be among them, and take as long as by themselves.
        """
        body = request.body_as(StartUploads)
        return self.repeatable(request, lambda: _keep(start(request.actor, body.uploads)), status=200)


def _keep(answers: Sequence[Upload | BitVaultError]) -> StartedItems:
    """Make the answer, and keep it for a request that is sent again."""
    items = [
        StartedItem(status=201, upload=answer)
        if isinstance(answer, Upload)
        else StartedItem(status=answer.status, problem=answer.as_problem())
        for answer in answers
    ]
    with db.write_transaction() as tx:
        return tx.answer(StartedItems(items))


class UploadBatchCommit(View):
    """The end of several uploads of the caller."""

    limit_class = RouteClass.UPLOAD

    @operation(body=CommitUploads, answer=CommittedItems, idempotent=True)
    def post(self, request: ActorRequest) -> Response:
        """Commit up to 500 uploads; each has a result of its own, in order. Repeated, it gives 200 with the same node.

        An item of status 202 needs longer: send it again.
        """
        body = request.body_as(CommitUploads)
        if len({each.id for each in body.uploads}) != len(body.uploads):
            raise Invalid("Commit each upload once.")
        return Response(CommittedItems(commit(request.actor, body.uploads)))
