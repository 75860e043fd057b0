"""Archives: Files says what goes into one, Storage judges the room and writes it, a job has it made, and its bytes come from the store.

Rights are judged when it is asked for, when it is made, as whoever asked is by then, and when its bytes are fetched, by nobody else.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from rest_framework.response import Response

from apps.files import errors
from apps.files.api import archives as files
from apps.identity import api as identity
from apps.storage import api as storage
from apps.storage.dtos import ArchiveEntry
from apps.storage.errors import ArchiveGone, ArchivesFull, StoreFull
from bitvault.gateway.authentication import with_reach
from bitvault.gateway.copying import as_job
from bitvault.jobs import api as jobs
from bitvault.jobs.errors import JobNotDone
from bitvault.kernel import db, ids, names, tenancy
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.errors import NotFound
from bitvault.web.operations import operation
from bitvault.web.permissions import HasScope
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body
from bitvault.web.views import View

ARCHIVE_JOB = "files.archive"
EXTENSION = ".zip"


class StartArchive(Body, frozen=True):
    """What goes into the archive, with all that lies below; `name` as the file is called, without it as the one node or its folder."""

    node_ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=1000)]
    name: str | None = None


class MakeArchive(msgspec.Struct, frozen=True):
    """An archive that was announced: of what, for whom, and to which folder their credential was narrowed."""

    archive_id: UUID
    user_id: UUID
    node_ids: list[UUID]
    folder_id: UUID | None = None


class Archived(msgspec.Struct, frozen=True):
    """An archive that is ready until it expires. ``missing_count`` files were gone or damaged, and are not in it."""

    archive_id: UUID
    size_bytes: int
    file_count: int
    folder_count: int
    missing_count: int
    expires_at: datetime


def start(actor: Actor, wish: StartArchive) -> jobs.Job:
    """Judge what is wanted and the room for it, and have the archive made."""
    measured = files.measure_archive(actor=actor, node_ids=wish.node_ids)
    archive_id = ids.new_id()
    storage.announce_archive(
        archive_id=archive_id,
        filename=_name(wish.name or measured.name),
        entry_count=measured.file_count + measured.folder_count,
        path_bytes=measured.path_bytes,
        content_bytes=measured.size_bytes,
        purpose={
            "user_id": str(actor.user_id),
            "folder_id": actor.folder_id and str(actor.folder_id),
            "node_ids": [str(node_id) for node_id in wish.node_ids],
        },
    )
    payload = MakeArchive(archive_id, actor.user_id, wish.node_ids, actor.folder_id)
    with db.write_transaction() as tx:
        return tx.answer(jobs.enqueue(ARCHIVE_JOB, payload, key=archive_id.hex, by=jobs.Requester.of(actor)))


def _name(text: str) -> str:
    stem = text.removesuffix(EXTENSION)
    return names.parse(names.cut(stem, names.NAME_LIMIT_BYTES - len(EXTENSION)) + EXTENSION).text


@jobs.job_kind(
    ARCHIVE_JOB,
    payload=MakeArchive,
    lane=jobs.BULK,
    tries=5,
    timeout=timedelta(hours=2),
    kept_for=timedelta(days=2),
)
def make_archive(payload: MakeArchive, run: jobs.Run) -> Archived:
    """Make an archive, from its beginning; ``done_count`` and ``total_count`` are bytes of its files.

    :raises NotFound: whoever asked for it is not let in any more, or may not see what they asked for.
    """
    found = identity.find_viewers(tenant=tenancy.current(), user_ids=[payload.user_id]).get(payload.user_id)
    if found is None:
        raise NotFound
    actor = replace(with_reach(found.actor, fresh=True), folder_id=payload.folder_id)
    entries = [
        ArchiveEntry(each.path, each.blob_id, each.size_bytes, each.modified_at)
        for each in files.list_archived(actor=actor, node_ids=payload.node_ids)
    ]
    total_bytes = sum(entry.size_bytes for entry in entries)
    run.report(0, total_bytes)
    kept = storage.make_archive(archive_id=payload.archive_id, entries=entries)
    run.done_count = total_bytes
    file_count = sum(entry.blob_id is not None for entry in entries)
    return Archived(
        archive_id=payload.archive_id,
        size_bytes=kept.size_bytes,
        file_count=file_count - kept.missing_count,
        folder_count=len(entries) - file_count,
        missing_count=kept.missing_count,
        expires_at=kept.expires_at,
    )


class Archives(View):
    """Archives of files and folders."""

    # Whoever may read may have it packed, too.
    permission_classes = [HasScope.of(Scope.FILES_READ)]
    publishes = False

    @operation(
        body=StartArchive,
        answer=jobs.Job,
        status=202,
        repeatable=True,
        problems=(
            errors.ArchiveTooLarge,
            errors.TooManyAtOnce,
            errors.InvalidName,
            ArchivesFull,
            StoreFull,
        ),
    )
    def post(self, request: ActorRequest) -> Response:
        """Have files and folders packed into one zip, of up to 100,000 entries and 100 GiB, by a job; `done_count` counts bytes.

        Its bytes are at `GET /jobs/{job_id}/content` for a day once it is done. Nothing is compressed. A cancelled one leaves nothing.
        """
        body = request.body_as(StartArchive)
        return as_job(self.repeatable(request, lambda: start(request.actor, body), status=202))


class JobContent(View):
    """The bytes that a job has made."""

    @operation(status=302, problems=(NotFound, JobNotDone, ArchiveGone))
    def get(self, request: ActorRequest, job_id: UUID) -> Response:
        """Redirect to a URL of the store that is good for five minutes: for whoever asked for the archive and may still download it."""
        return self._redirect(request.actor, job_id, "GET")

    @operation(status=302, problems=(NotFound, JobNotDone, ArchiveGone))
    def head(self, request: ActorRequest, job_id: UUID) -> Response:
        """Redirect to a URL that answers HEAD: length and type without the bytes."""
        return self._redirect(request.actor, job_id, "HEAD")

    def _redirect(self, actor: Actor, job_id: UUID, method: Literal["GET", "HEAD"]) -> Response:
        url = sign(actor, job_id, method)
        headers = {"Location": url, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
        return Response(status=302, headers=headers)


def sign(actor: Actor, job_id: UUID, method: Literal["GET", "HEAD"]) -> str:
    """Sign a URL of an archive for whoever asked for it; administrators see the job, and not what is in it."""
    job = jobs.get_job(actor=actor, job_id=job_id)
    if job.kind != ARCHIVE_JOB:
        raise NotFound
    if job.state != "done":
        raise JobNotDone(state=job.state)
    archive_id = msgspec.convert(job.result, Archived).archive_id
    archive = storage.get_archive(archive_id=archive_id)
    purpose = archive.purpose
    if purpose["user_id"] != str(actor.user_id) or (actor.folder_id and purpose["folder_id"] != str(actor.folder_id)):
        raise NotFound
    download = storage.sign_archive(archive_id=archive_id, method=method)
    if method == "GET":
        files.open_archive(
            actor=actor,
            archive_id=archive_id,
            node_ids=[UUID(node_id) for node_id in purpose["node_ids"]],
            size_bytes=archive.size_bytes,
        )
    return download.url
