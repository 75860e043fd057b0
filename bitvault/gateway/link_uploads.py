"""Uploads through a link that takes files: Links says who is let in and whether the request takes it; the rest is the saga of uploads.

Each step looks at the link anew: one that was ended lets nobody go on, and what was under way is not committed. A sender is told of what
they have sent in this visit and of nothing else: not the name that a file got in the folder, nor what the vault has.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from rest_framework.response import Response

from apps.billing.errors import QuotaExceeded
from apps.files import api as files
from apps.files.dtos import Mode, Node
from apps.files.errors import (
    NameTaken,
    NewerVersion,
    NodeGone,
    NodeLocked,
    NotAFolder,
    ParentGone,
    SizeRefused,
    TypeRefused,
)
from apps.links import api as links
from apps.links import errors
from apps.links.dtos import (
    SUBMISSION_HEADER,
    UNLOCK_HEADER,
    Admission,
    EditableNode,
    PublicNode,
    Sending,
)
from apps.storage import api as storage
from apps.storage.dtos import Upload
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
from bitvault.gateway import uploads
from bitvault.gateway.uploads import CommitUpload, Completing, MediaType, Moment, Sha256, SignedParts, SignParts
from bitvault.kernel import ids
from bitvault.kernel.errors import Gone, Invalid, NotFound
from bitvault.kernel.names import InvalidName
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body
from bitvault.web.views import VisitorView
from bitvault.web.visitors import find_visitor

MADE_ON = "link"
"""What the sender is called in the list of versions: who it was stands with the link."""

_REFUSED = (*errors.CLOSED, errors.LinkLocked, errors.LinkTakesNothing, errors.SubmissionUnknown)


class SendFile(Body, frozen=True):
    """A file that is to come. ``folder``: the names of the folders that it lies in at its sender's, topmost first.

    Through a link that lets its visitors edit, a file goes into the folder ``parent_id`` (without it the link's own), and one that takes
    the place of another names that by ``node_id``; what was there stays among its versions. ``mode`` is as in ``POST /uploads``: without it
    ``overwrite`` with ``node_id``, else ``add`` under a free name. An ``update`` names by ``base_version_id`` the version that it starts
    from; where another one is there by the commit, its bytes become a conflicted copy beside the file, or, through a link on that one file,
    are refused.
    """

    name: str
    size_bytes: Annotated[int, msgspec.Meta(ge=0)]
    folder: Annotated[list[str], msgspec.Meta(max_length=32)] = []  # msgspec copies an empty list for each
    parent_id: UUID | None = None
    mode: Mode | None = None
    node_id: UUID | None = None
    base_version_id: UUID | None = None
    media_type: MediaType | None = None
    client_modified_at: Moment | None = None
    part_hashes: Annotated[list[Sha256], msgspec.Meta(max_length=10_000)] = []  # msgspec copies an empty list for each


class MakeFolder(Body, frozen=True):
    """A folder without files: the names from its topmost folder down to its own."""

    folder: Annotated[list[str], msgspec.Meta(min_length=1, max_length=32)]


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """A file that has arrived, as its sender sees it.

    ``node`` is told through links that let their visitors edit alone: the file that has the bytes now.
    """

    name: str
    size_bytes: int
    sent_at: datetime
    node: EditableNode | msgspec.UnsetType = msgspec.UNSET


class PublicFolders(VisitorView):
    """Folders of somebody who holds a link that takes files."""

    @operation(
        body=MakeFolder,
        status=204,
        problems=(*_REFUSED, errors.RequestFull, errors.SenderUnfit, InvalidName),
    )
    def post(self, request: ActorRequest, token: str) -> Response:
        """Make a folder in which no file lies; those of files come with them. One that this visit has made already is no second one."""
        body = request.body_as(MakeFolder)
        sending = _admit_sender(request, token)
        with _told_to_strangers():
            links.make_folder(sending=sending, folder=body.folder)
        return Response(status=204)


class PublicUploads(VisitorView):
    """Uploads of somebody who holds a link that takes files."""

    @operation(
        body=SendFile,
        answer=Upload,
        status=201,
        problems=(
            *_REFUSED,
            errors.TypeNotTaken,
            errors.RequestFull,
            errors.NoRoom,
            InvalidName,
            NameTaken,
            NodeLocked,
            FileTooLarge,
            TypeRefused,
            SizeRefused,
            PartOutOfRange,
        ),
        repeatable=True,
    )
    def post(self, request: ActorRequest, token: str) -> Response:
        """Begin to send a file. The limits of the request, and the room of the vault, are looked at before any byte moves."""
        body = request.body_as(SendFile)
        sending = _admit(request, token)
        return self.repeatable(
            request,
            lambda: _start(sending, body),
            owner_id=sending.submission_id if isinstance(sending, Sending) else sending.link_id,
        )


class PublicUploadDetail(VisitorView):
    """One upload of this visit."""

    publishes = False

    @operation(answer=Upload, problems=_REFUSED)
    def get(self, request: ActorRequest, token: str, upload_id: UUID) -> Response:
        """Describe it and the parts that the store holds: resume from here."""
        sending = _admit(request, token, upload_id)
        return Response(storage.get_upload(actor=sending.actor, upload_id=upload_id))

    @operation(status=204, problems=(*_REFUSED, UploadComplete))
    def delete(self, request: ActorRequest, token: str, upload_id: UUID) -> Response:
        """Give it up; its parts are swept."""
        sending = _admit(request, token, upload_id)
        uploads.abort(sending.actor, upload_id)
        if isinstance(sending, Sending):
            links.drop_upload(sending=sending, upload_id=upload_id)
        return Response(status=204)


class PublicUploadParts(VisitorView):
    """Parts of an upload of this visit."""

    @operation(
        body=SignParts,
        answer=SignedParts,
        problems=(*_REFUSED, PartOutOfRange, UploadComplete, UploadOver, errors.NoRoom),
        idempotent=True,
    )
    def post(self, request: ActorRequest, token: str, upload_id: UUID) -> Response:
        """Announce up to 100 parts and get a URL for each that has to travel."""
        announced = request.body_as(SignParts).to_announced()
        sending = _admit(request, token, upload_id)
        with _told_to_strangers():
            signed = storage.sign_parts(actor=sending.actor, upload_id=upload_id, announced=announced)
        return Response(SignedParts(signed))


class PublicUploadCommit(VisitorView):
    """The end of an upload of this visit."""

    @operation(
        body=CommitUpload,
        answer=Arrived,
        status=201,
        repeated_status=200,
        pending=Completing,
        problems=(
            *_REFUSED,
            NameTaken,
            NewerVersion,
            NodeLocked,
            TypeRefused,
            SizeRefused,
            PartsMissing,
            ContentMismatch,
            UploadOver,
            errors.NoRoom,
        ),
    )
    def post(self, request: ActorRequest, token: str, upload_id: UUID) -> Response:
        """Verify the bytes and put the file into the folder. A link that was ended meanwhile takes it no more.

        Through a link that lets its visitors edit, `node` tells which file has the bytes: another one than the `node_id` of the upload is a
        copy that was kept beside it.
        """
        body = request.body_as(CommitUpload)
        sending = _admit(request, token, upload_id)
        with _told_to_strangers():
            done = uploads.commit(sending.actor, upload_id, body.part_hashes, made_on=MADE_ON)
        if done is None:
            headers = {"Retry-After": str(uploads.ASK_AGAIN_SECONDS)}
            return Response(Completing(), status=202, headers=headers)
        node, first = done
        if isinstance(sending, Admission):
            item = Arrived(
                name=node.name, size_bytes=node.size_bytes or 0, sent_at=node.modified_at, node=_to_editable(node)
            )
        else:
            noted = links.note_received(sending=sending, upload_id=upload_id, node_id=node.id)
            item = Arrived(name=noted.name, size_bytes=noted.size_bytes, sent_at=noted.sent_at)
        return Response(item, status=201 if first else 200)


def _admit(request: ActorRequest, token: str, upload_id: UUID | None = None) -> Sending | Admission:
    """Let somebody go on with their visit, or edit, and with one of their uploads: what one link has begun no other one finds."""
    editor = _find_editor(request, token)
    if editor is not None:
        return editor
    sending = _admit_sender(request, token)
    if upload_id is not None:
        links.require_own_upload(sending=sending, upload_id=upload_id)
    return sending


def _find_editor(request: ActorRequest, token: str) -> Admission | None:
    return links.find_editor(token=token, unlock=request.headers.get(UNLOCK_HEADER), visitor=find_visitor(request))


def _require_editor(request: ActorRequest, token: str) -> Admission:
    editor = _find_editor(request, token)
    if editor is None:
        raise errors.LinkTakesNothing
    return editor


def _to_editable(node: Node) -> EditableNode:
    told = ("id", "kind", "name", "size_bytes", "media_type", "modified_at", "parent_id", "version_id")
    locked_until = node.lock.expires_at if node.lock is not None else None
    return EditableNode(**{name: getattr(node, name) for name in told}, locked_until=locked_until)


def _admit_sender(request: ActorRequest, token: str) -> Sending:
    return links.admit_sender(
        token=token,
        unlock=request.headers.get(UNLOCK_HEADER),
        submission_token=request.headers.get(SUBMISSION_HEADER),
        visitor=find_visitor(request),
    )


def _start(sending: Sending | Admission, body: SendFile) -> Upload:
    if isinstance(sending, Admission):
        return _start_edit(sending, body)
    if any(value is not None for value in (body.parent_id, body.mode, body.node_id, body.base_version_id)):
        raise Invalid(
            "Only a link that lets its visitors edit takes `parent_id`, `mode`, `node_id` and `base_version_id`."
        )
    upload_id = ids.new_id()
    with _told_to_strangers():
        parent_id = links.plan_upload(
            sending=sending, upload_id=upload_id, name=body.name, size_bytes=body.size_bytes, folder=body.folder
        )
        wanted = uploads.StartUpload(
            parent_id=parent_id,
            name=body.name,
            size_bytes=body.size_bytes,
            autorename=True,
            media_type=body.media_type,
            client_modified_at=body.client_modified_at,
            part_hashes=body.part_hashes,
        )
        try:
            return uploads.start(sending.actor, wanted, upload_id=upload_id)
        except BaseException:
            links.drop_upload(sending=sending, upload_id=upload_id)
            raise


def _start_edit(editor: Admission, body: SendFile) -> Upload:
    """Begin to send a file into a folder of a link that lets its visitors edit, or in the place of another file."""
    if body.folder:
        raise Invalid("Folders are named by `parent_id` here.")
    mode = body.mode or ("add" if body.node_id is None else "overwrite")
    wanted = uploads.StartUpload(
        parent_id=body.parent_id or editor.actor.folder_id or editor.link_id,
        name=body.name,
        size_bytes=body.size_bytes,
        mode=mode,
        node_id=body.node_id,
        base_version_id=body.base_version_id,
        autorename=mode == "add",
        media_type=body.media_type,
        client_modified_at=body.client_modified_at,
        part_hashes=body.part_hashes,
    )
    with _told_to_strangers():
        return uploads.start(editor.actor, wanted)


class RenamePublicNode(Body, frozen=True):
    """What a file or folder is to be called."""

    name: Annotated[str, msgspec.Meta(max_length=1024)]


class PublicNodeDetail(VisitorView):
    """A file or folder below a link that lets its visitors edit."""

    @operation(answer=EditableNode, problems=(*errors.CLOSED, errors.LinkLocked, errors.LinkTakesNothing))
    def get(self, request: ActorRequest, token: str, node_id: UUID) -> Response:
        """Describe it as it is now: an edit starts from its `version_id`, and waits until `locked_until`."""
        editor = _require_editor(request, token)
        try:
            node = files.get_node(actor=editor.actor, node_id=node_id)
        except NotFound as error:
            if node_id == editor.actor.folder_id:
                raise errors.LinkTargetGone from error
            raise
        return Response(_to_editable(node))

    @operation(
        body=RenamePublicNode,
        answer=PublicNode,
        problems=(
            *errors.CLOSED,
            errors.LinkLocked,
            errors.LinkTakesNothing,
            InvalidName,
            NameTaken,
            NodeLocked,
            TypeRefused,
        ),
    )
    def patch(self, request: ActorRequest, token: str, node_id: UUID) -> Response:
        """Rename it. The link's own file or folder keeps its name: it is its owner's to find."""
        body = request.body_as(RenamePublicNode)
        editor = _require_editor(request, token)
        if node_id == editor.actor.folder_id:
            raise errors.LinkTakesNothing
        node = files.update_node(actor=editor.actor, node_id=node_id, name=body.name, expected_revision="any")
        told = PublicNode(
            id=node.id,
            kind=node.kind,
            name=node.name,
            size_bytes=node.size_bytes,
            media_type=node.media_type,
            modified_at=node.modified_at,
        )
        return Response(told)


@contextmanager
def _told_to_strangers() -> Iterator[None]:
    """Say what is refused inside the block without what strangers are not told: ids, and how much room a vault has."""
    try:
        yield
    except UploadNotFound:
        raise  # of this visitor there is none; the link's folder is where it was
    except (QuotaExceeded, StoreFull) as error:
        raise errors.NoRoom from error
    except NodeGone as error:
        raise Gone("The file of this upload is not there any more.") from error
    except (ParentGone, NotFound, NotAFolder) as error:
        raise errors.LinkTargetGone from error
