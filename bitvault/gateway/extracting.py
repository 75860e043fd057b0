"""Extracting a zip into a new folder: a job reads it and brings each file in by the way of all uploads, with its rights, room and names.

Done again, it makes nothing twice: a folder has an id that is told by the job, and a file of the same name and bytes is the one that is
there. A file that cannot be had is left out with its reason; the others come. Whoever cancels finds the folder in the trash.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import msgspec
from rest_framework.response import Response

from apps.billing import api as billing
from apps.files import api as files
from apps.files import errors
from apps.identity import api as identity
from apps.storage.api import scanned
from apps.storage.errors import WITHHELD, BlobDamaged, BlobGone
from bitvault.gateway import room, unpacking, uploads
from bitvault.gateway.authentication import with_reach
from bitvault.gateway.copying import as_job
from bitvault.gateway.extraction import LEFT_OUT_TOLD, ExtractArchive, Extraction, Place
from bitvault.gateway.unpacking import LeftOut
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db, ids, names, tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import BitVaultError, Forbidden, NotFound
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body
from bitvault.web.views import View

EXTRACT_JOB = "files.extract"
EXTENSION = ".zip"


class ExtractNode(Body, frozen=True):
    """Where the folder is made into which the archive is extracted, and how it is called; without them beside the archive, and as it."""

    parent_id: UUID | None = None
    name: str | None = None


class Extracted(msgspec.Struct, frozen=True):
    """What came out of an archive into which folder. ``left_out`` names the first 500 entries that are not there, each with the reason."""

    node_id: UUID
    file_count: int
    folder_count: int
    left_out_count: int
    left_out: list[LeftOut]


def start(actor: Actor, node_id: UUID, wish: ExtractNode) -> jobs.Job:
    """Judge rights, and have the archive extracted."""
    content = files.get_content(actor=actor, node_id=node_id)
    parent_id = wish.parent_id or files.get_node(actor=actor, node_id=node_id).parent_id
    if parent_id is None:
        raise NotFound  # it was shared by itself: where it lies is none of theirs
    parent = files.get_node(actor=actor, node_id=parent_id)
    if parent.kind != "folder":
        raise errors.NotAFolder
    if "add" not in parent.capabilities:
        raise Forbidden(capability="add")
    stem, extension = names.split_extension(content.name)
    if extension.lower() != EXTENSION:
        raise errors.NotAnArchive
    scanned.require_readable(blob_id=content.blob_id)
    extract_id = ids.new_id()
    payload = ExtractArchive(
        extract_id=extract_id,
        node_id=node_id,
        version_id=content.version_id,
        parent_id=parent_id,
        name=names.parse(wish.name or stem).text,
        user_id=actor.user_id,
        made_on=uploads.name_sender(actor),
        folder_id=actor.folder_id,
    )
    with db.write_transaction() as tx:
        return tx.answer(jobs.enqueue(EXTRACT_JOB, payload, key=extract_id.hex, by=jobs.Requester.of(actor)))


@jobs.job_kind(
    EXTRACT_JOB,
    payload=ExtractArchive,
    lane=jobs.BULK,
    tries=5,
    timeout=timedelta(hours=2),
    kept_for=timedelta(days=7),
    tells_end=True,
)
def extract(payload: ExtractArchive, run: jobs.Run) -> Extracted:
    """Extract an archive, entry after entry; ``done_count`` and ``total_count`` are bytes. Another try goes on where the last one ended.

    :raises NotFound: whoever asked for it is not let in any more, or may not see what they asked for.
    :raises NotAnArchive, ArchiveTooLarge: it is none, or more than is extracted.
    :raises QuotaExceeded: there is not enough room; nothing was made.
    :raises ParentGone: the folder lies in the trash by now.
    """
    found = identity.find_viewers(tenant=tenancy.current(), user_ids=[payload.user_id]).get(payload.user_id)
    if found is None:
        raise NotFound
    actor = replace(with_reach(found.actor, fresh=True), folder_id=payload.folder_id)
    content = files.get_content(actor=actor, node_id=payload.node_id, version_id=payload.version_id)
    contents = unpacking.read(content.blob_id, content.size_bytes)
    if run.checkpoint is None:
        place = Place(left_out_count=len(contents.left_out), left_out=list(contents.left_out[:LEFT_OUT_TOLD]))
        run.report(0, contents.size_bytes)
        _require_room(actor, payload.parent_id, contents.size_bytes)
    else:
        place = msgspec.convert(run.checkpoint, Place)
    extraction = Extraction(actor, payload, place, run)
    try:
        extraction.bring(contents.entries)
    except jobs.Canceled:
        with suppress(BitVaultError):  # whoever may add need not be allowed to delete
            files.trash_node(actor=actor, node_id=extraction.top_id)
        raise
    return Extracted(
        node_id=extraction.top_id,
        file_count=place.file_count,
        folder_count=place.folder_count,
        left_out_count=place.left_out_count,
        left_out=place.left_out,
    )


def _require_room(actor: Actor, parent_id: UUID, size_bytes: int) -> None:
    """Refuse at once what there is no room for."""
    asked_id = ids.new_id()
    billing.reserve(
        actor=actor,
        upload_id=asked_id,
        size_bytes=size_bytes,
        expires_at=clock.now() + room.HELD_FOR,
        root_id=room.find_root(parent_id),
    )
    billing.release(upload_id=asked_id)


class NodeExtract(View):
    """What an archive holds, as files and folders."""

    publishes = False

    @operation(
        body=ExtractNode,
        answer=jobs.Job,
        status=202,
        repeatable=True,
        problems=(
            errors.NotAFile,
            errors.NotAFolder,
            errors.NotAnArchive,
            errors.InvalidName,
            BlobGone,
            BlobDamaged,
            *WITHHELD,
        ),
    )
    def post(self, request: ActorRequest, node_id: UUID) -> Response:
        """Have a zip extracted by a job into a folder that is made for it: up to 10,000 entries, 20 GiB and a hundred times its own size.

        Taken names get numbers. Links, encrypted entries, names that lead elsewhere or come twice and damaged bytes are left out; the
        job's `result` names each with its reason, and the folder as `node_id`. A canceled one leaves the folder in the trash.
        """
        body = request.body_as(ExtractNode)
        return as_job(self.repeatable(request, lambda: start(request.actor, node_id, body), status=202))
