"""Uploads: the saga that brings a file in, across Files, Billing and Storage, and its REST routes.

Each step commits its own rows, and each unfinished one ends by itself: a promise of room lapses, an attempt is swept. Start: Files
authorises, Billing reserves, Storage begins. Commit: Storage verifies and freezes the bytes, Files makes the version, Billing charges,
Storage ends the attempt. A commit that died anywhere is finished by the next one, or by the sweeper. Bytes that a request cannot wait
for are verified by a worker, and the next commit goes on from there.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from rest_framework.response import Response

from apps.billing import api as billing
from apps.billing.errors import FileOverLimit, QuotaExceeded
from apps.files import api as files
from apps.files.dtos import Mode, Node
from apps.files.dtos.uploads import UploadGrant
from apps.files.errors import NameTaken, NodeGone, NodeLocked, ParentGone, SizeRefused, TypeRefused, UploadGivenUp
from apps.storage import api as storage
from apps.storage.dtos import SIGN_LIMIT, UPLOAD_LIFETIME, Part, Upload, Verified
from apps.storage.errors import (
    ContentMismatch,
    FileTooLarge,
    PartOutOfRange,
    PartsMissing,
    StoreFull,
    UploadComplete,
    UploadNotFound,
    UploadOver,
)
from bitvault.events.api import answer_with_head
from bitvault.kernel import clock, db, ids, media_types, tenancy
from bitvault.kernel.actor import Actor, Role
from bitvault.kernel.errors import Gone, Invalid
from bitvault.kernel.media_types import InvalidMediaType
from bitvault.kernel.request import current_origin
from bitvault.web.limits.policies import RouteClass
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body
from bitvault.web.views import View

BROWSER, PROGRAM = "web", "API"
"""What the sender is called who is no device."""

ASK_AGAIN_SECONDS = 1
"""When a commit that is not done yet is worth another question."""

# With the length, for `$` alone lets a line break through.
Sha256 = Annotated[
    str,
    msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64, description="SHA-256 in lower-case hexadecimal digits."),
]
MediaType = Annotated[
    str,
    msgspec.Meta(
        max_length=media_types.LIMIT,
        description="A media type, with parameters or without; left out, it is told from the name.",
    ),
]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class StartUpload(Body, frozen=True):
    """A file that is to come. ``part_hashes``: of all parts, or of the first ones."""

    parent_id: UUID
    name: str
    size_bytes: Annotated[int, msgspec.Meta(ge=0)]
    mode: Mode = "add"
    node_id: UUID | None = None
    base_version_id: UUID | None = None
    autorename: bool = False
    media_type: MediaType | None = None
    client_modified_at: Moment | None = None
    part_hashes: Annotated[list[Sha256], msgspec.Meta(max_length=10_000)] = []  # msgspec copies an empty list for each


class AnnouncedPart(Body, frozen=True):
    """A part that is about to be sent."""

    number: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    sha256: Sha256


class SignParts(Body, frozen=True):
    """The parts that are about to be sent."""

    parts: Annotated[list[AnnouncedPart], msgspec.Meta(min_length=1, max_length=SIGN_LIMIT)]

    def to_announced(self) -> dict[int, str]:
        """Give the hashes by number.

        :raises Invalid: a part is announced twice.
        """
        announced = {part.number: part.sha256 for part in self.parts}
        if len(announced) != len(self.parts):
            raise Invalid("Announce each part once.")
        return announced


class CommitUpload(Body, frozen=True):
    """The end of an upload. ``part_hashes``: of all parts; may be left out where every part was announced."""

    part_hashes: Annotated[list[Sha256], msgspec.Meta(max_length=10_000)] = []  # msgspec copies an empty list for each


class SignedParts(msgspec.Struct, frozen=True):
    """How to send each of the announced parts."""

    items: list[Part]


class Completing(msgspec.Struct, frozen=True):
    """A commit that is not done yet: the store puts the file together. Send the same commit again."""

    state: Literal["completing"] = "completing"


def start(actor: Actor, wanted: StartUpload, *, upload_id: UUID | None = None) -> Upload:
    """Begin an upload: name, rights and room are decided before any byte moves.

    :param upload_id: an id that is used for nothing else; without it there is a new one.
    """
    moment = wanted.client_modified_at
    media_type = None if wanted.media_type is None else media_types.parse(wanted.media_type)
    grant = files.authorise_upload(
        actor=actor,
        parent_id=wanted.parent_id,
        name=wanted.name,
        mode=wanted.mode,
        node_id=wanted.node_id,
        base_version_id=wanted.base_version_id,
        autorename=wanted.autorename,
        size_bytes=wanted.size_bytes,
    )
    content_hash = storage.find_content_hash(size_bytes=wanted.size_bytes, part_hashes=wanted.part_hashes)
    known_blob_id = None
    if content_hash is not None:
        known_blob_id = files.find_readable_blob(actor=actor, content_hash=content_hash, size_bytes=wanted.size_bytes)
    upload_id = upload_id or ids.new_id()
    expires_at = clock.now() + UPLOAD_LIFETIME
    billing.reserve(
        actor=actor,
        upload_id=upload_id,
        size_bytes=wanted.size_bytes,
        expires_at=expires_at,
        is_file=True,
        root_id=grant.root_id,
    )
    try:
        return storage.start_upload(
            actor=actor,
            upload_id=upload_id,
            size_bytes=wanted.size_bytes,
            media_type=media_type or media_types.guess(grant.name),
            destination=msgspec.to_builtins(grant),
            part_hashes=wanted.part_hashes,
            base_blob_id=grant.base_blob_id,
            known_blob_id=known_blob_id,
            client_modified_at=None if moment is None else clock.to_utc(moment),
        )
    except Exception:
        billing.release(upload_id=upload_id)
        raise


def commit(
    actor: Actor, upload_id: UUID, part_hashes: list[str], *, made_on: str | None = None
) -> tuple[Node, bool] | None:
    """Make a version of the bytes; returns the node and whether this very call brought the upload to its end.

    ``None``: the store needs longer than a request may wait; ask again.

    :param made_on: what the sender is called; without it the device or the way in.
    """
    verified = storage.complete_upload(actor=actor, upload_id=upload_id, part_hashes=part_hashes)
    if verified is None:
        return None
    require_file(verified)
    if verified.committed:
        node = files.find_committed(actor=actor, upload_id=upload_id)
        if node is None:
            raise Gone("The file of this upload is not there any more.")
        answer_with_head()
        return node, False
    try:
        done = files.commit_upload(
            actor=actor,
            upload_id=upload_id,
            grant=msgspec.convert(verified.destination, UploadGrant),
            blob_id=verified.blob_id,
            size_bytes=verified.size_bytes,
            content_hash=verified.content_hash,
            media_type=verified.media_type,
            client_modified_at=verified.client_modified_at,
            made_on=made_on or name_sender(actor),
        )
    except UploadGivenUp:
        raise UploadOver from None
    if db.latest_seq.get() is None:
        answer_with_head()  # the version was made by this very request before, which died then
    billing.settle(upload_id=upload_id, size_bytes=verified.size_bytes if done.version_created else 0)
    return done.node, storage.finish_upload(upload_id=upload_id, kept=done.version_created)


def require_file(verified: Verified) -> None:
    """Refuse to make a file of what was sent as something else: a picture of somebody (``pictures``).

    :raises UploadNotFound: it was.
    """
    if "name" not in verified.destination:
        raise UploadNotFound


def name_sender(actor: Actor) -> str:
    """Name who sends something, for people who find it: the device, or the way in where there is none."""
    return current_origin().device_name or (BROWSER if actor.session_id else PROGRAM)


def abort(actor: Actor, upload_id: UUID) -> None:
    """Give an upload up and its room back; of a commit at the same time either that one stands or this one."""
    aborted = storage.abort_upload(actor=actor, upload_id=upload_id)
    if aborted.was_verified and not files.give_up_upload(actor=actor, upload_id=upload_id):
        # The commit was first. It may have died there, so what it has still to do is done here.
        kept = files.is_committed(upload_id=upload_id)
        billing.settle(upload_id=upload_id, size_bytes=aborted.size_bytes if kept else 0)
        storage.finish_upload(upload_id=upload_id, kept=kept)
        raise UploadComplete("The upload is committed; delete the file instead.")
    billing.release(upload_id=upload_id)


def cancel(*, upload_id: UUID, operator_id: UUID) -> None:
    """End somebody's upload for an operator, as if they had given it up; the stream tells of it.

    :raises UploadNotFound: there is none in the entered tenant.
    :raises UploadComplete: it is committed.
    """
    sender_id = storage.find_sender(upload_id=upload_id)
    # Whoever has begun it need not be let in any more, and no step asks for a right.
    sender = Actor(tenant=tenancy.current(), user_id=sender_id, role=Role.VIEWER, scopes=frozenset())
    abort(sender, upload_id)
    storage.tell_canceled(upload_id=upload_id, by=operator_id)


class Uploads(View):
    """Uploads of the caller."""

    limit_class = RouteClass.UPLOAD

    @operation(
        body=StartUpload,
        answer=Upload,
        status=201,
        problems=(
            NameTaken,
            NodeLocked,
            QuotaExceeded,
            FileOverLimit,
            FileTooLarge,
            TypeRefused,
            SizeRefused,
            PartOutOfRange,
            StoreFull,
            InvalidMediaType,
        ),
        repeatable=True,
    )
    def post(self, request: ActorRequest) -> Response:
        """Begin an upload. Name, rights and quota are decided here, before any byte moves.

        Parts that are announced by ``part_hashes`` come back with signed URLs (up to 100), or as ``present`` when they need not travel.
        """
        body = request.body_as(StartUpload)
        return self.repeatable(request, lambda: start(request.actor, body))


class UploadDetail(View):
    """One upload of the caller."""

    publishes = False
    limit_class = RouteClass.UPLOAD

    @operation(answer=Upload)
    def get(self, request: ActorRequest, upload_id: UUID) -> Response:
        """Describe an upload and the parts that the store holds: resume from here."""
        return Response(storage.get_upload(actor=request.actor, upload_id=upload_id))

    @operation(status=204, problems=(UploadComplete,))
    def delete(self, request: ActorRequest, upload_id: UUID) -> Response:
        """Give an upload up; its parts are swept."""
        abort(request.actor, upload_id)
        return Response(status=204)


class UploadParts(View):
    """Parts of an upload."""

    limit_class = RouteClass.UPLOAD

    @operation(
        body=SignParts,
        answer=SignedParts,
        problems=(PartOutOfRange, UploadComplete, UploadOver, StoreFull),
        idempotent=True,
    )
    def post(self, request: ActorRequest, upload_id: UUID) -> Response:
        """Announce up to 100 parts and get a URL for each that has to travel.

        PUT exactly the part's bytes with exactly the headers given; the store refuses anything else.
        """
        announced = request.body_as(SignParts).to_announced()
        signed = storage.sign_parts(actor=request.actor, upload_id=upload_id, announced=announced)
        return Response(SignedParts(signed))


class UploadCommit(View):
    """The end of an upload."""

    limit_class = RouteClass.UPLOAD

    @operation(
        body=CommitUpload,
        answer=Node,
        status=201,
        repeated_status=200,
        pending=Completing,
        problems=(
            NameTaken,
            NodeGone,
            NodeLocked,
            ParentGone,
            TypeRefused,
            SizeRefused,
            PartsMissing,
            ContentMismatch,
            UploadOver,
            StoreFull,
        ),
    )
    def post(self, request: ActorRequest, upload_id: UUID) -> Response:
        """Verify the bytes against the store and make the version. Repeated, it answers 200 with the same node.

        Where the store needs longer it answers 202 with `state: completing` and `Retry-After`: ask again until the answer is another one.
        """
        body = request.body_as(CommitUpload)
        done = commit(request.actor, upload_id, body.part_hashes)
        if done is None:
            return Response(Completing(), status=202, headers={"Retry-After": str(ASK_AGAIN_SECONDS)})
        node, first = done
        return Response(node, status=201 if first else 200)
