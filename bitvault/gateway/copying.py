"""Copies: room is reserved, Files makes new nodes of the same bytes, the room is charged. No bytes move.

A tree that is too large for a request is copied by a job, a page of a folder at a time, each with its own room: what it charges is what it
has copied, whenever it ends. A process that dies between copying and charging does both again under the same ids.
"""

import hashlib
from datetime import timedelta
from uuid import UUID

import msgspec
from rest_framework.response import Response

from apps.billing import api as billing
from apps.billing.errors import QuotaExceeded
from apps.files import errors
from apps.files.api import copies
from apps.files.api import shown as files
from apps.files.api.copies import CopyPage, CopyStep
from apps.files.dtos import Node
from apps.storage.api import scanned
from apps.storage.errors import WITHHELD
from bitvault.gateway import room
from bitvault.gateway.uploads import name_sender
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, ids
from bitvault.kernel.actor import Actor
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.structs import Body
from bitvault.web.views import View


class CopyNode(Body, frozen=True):
    """Where the copy goes, and how it is called; without ``name`` as the original."""

    parent_id: UUID
    name: str | None = None
    autorename: bool = False


def copy(actor: Actor, node_id: UUID, wish: CopyNode) -> Node | jobs.Job:
    """Copy a node with all below it, or have a job do so."""
    wanted_bytes = copies.measure_copy(actor=actor, node_id=node_id)
    _require_readable(actor, node_id)
    copy_id = ids.new_id()

    def make() -> tuple[Node | jobs.Job, int]:
        return copies.copy_node(
            actor=actor,
            node_id=node_id,
            parent_id=wish.parent_id,
            name=wish.name,
            autorename=wish.autorename,
            copy_id=copy_id,
            made_on=name_sender(actor),
        )

    # The job holds room for itself; here it is asked whether there is any at all.
    root_id = room.find_root(wish.parent_id)
    return room.charged(make, actor=actor, cause_id=copy_id, size_bytes=wanted_bytes, root_id=root_id)


def _require_readable(actor: Actor, node_id: UUID) -> None:
    """Refuse a file that nobody may read now; what lies in a folder is copied as it is, and stays closed.

    :raises ContentWithheld: it is being scanned for malware, was found infected, or could not be scanned.
    """
    shown = files.list_shown_contents(actor=actor, node_ids=[node_id]).get(node_id)
    if shown is not None:
        scanned.require_readable(blob_id=shown.blob_id)


class Copied(msgspec.Struct, frozen=True):
    """What a job has copied: into which folder, and how many nodes."""

    node_id: UUID
    node_count: int


class _Place(msgspec.Struct, frozen=True):
    """Where a job has come to."""

    steps: list[CopyStep]
    node_count: int = 1


@jobs.job_kind(
    copies.COPY_JOB,
    payload=copies.CopyFolder,
    lane=jobs.BULK,
    tries=5,
    timeout=timedelta(hours=2),
    kept_for=timedelta(days=7),
    tells_end=True,
)
def copy_tree(payload: copies.CopyFolder, run: jobs.Run) -> Copied:
    """Fill the copy of a folder; another try goes on where the last one has ended.

    :raises QuotaExceeded: there is not enough room; what was copied so far stays.
    """
    total_count, total_bytes = copies.measure_tree(node_id=payload.source_id)
    place = _Place([CopyStep(payload.source_id, payload.target_id)])
    if run.checkpoint is not None:
        place = msgspec.convert(run.checkpoint, _Place)
    else:
        _require_room(payload, total_bytes)
    while place.steps:
        *steps, step = place.steps
        page = _copy_page(payload, step)
        place = _Place([*steps, *page.further], place.node_count + page.node_count)
        run.report(place.node_count, max(total_count, place.node_count), checkpoint=msgspec.to_builtins(place))
    return Copied(node_id=payload.target_id, node_count=place.node_count)


def _require_room(payload: copies.CopyFolder, size_bytes: int) -> None:
    """Refuse at once what there is no room for."""
    asked_id = _name_page(payload.copy_id, CopyStep(payload.copy_id, payload.copy_id))
    billing.reserve(
        actor=None,
        upload_id=asked_id,
        size_bytes=size_bytes,
        expires_at=clock.now() + room.HELD_FOR,
        again=True,
        root_id=room.find_root(payload.target_id),
    )
    billing.release(upload_id=asked_id)


def _copy_page(payload: copies.CopyFolder, step: CopyStep) -> CopyPage:
    page_id = _name_page(payload.copy_id, step)
    billing.reserve(
        actor=None,
        upload_id=page_id,
        size_bytes=copies.count_copied_page(step=step),
        expires_at=clock.now() + room.HELD_FOR,
        again=True,
        root_id=room.find_root(payload.target_id),
    )
    page = copies.copy_page(
        copy_id=payload.copy_id,
        top_id=payload.target_id,
        user_id=payload.user_id,
        made_on=payload.made_on,
        step=step,
    )
    billing.settle(upload_id=page_id, size_bytes=page.size_bytes)
    return page


def _name_page(copy_id: UUID, step: CopyStep) -> UUID:
    """Name the room of a page, the same each time."""
    told = copy_id.bytes + step.source_id.bytes + step.after.encode()
    return UUID(bytes=hashlib.sha256(told).digest()[:16], version=5)


class NodeCopy(View):
    """Copies of a node."""

    @operation(
        body=CopyNode,
        answer=Node,
        status=201,
        pending=jobs.Job,
        repeatable=True,
        problems=(
            errors.NameTaken,
            errors.MoveCycle,
            errors.NotAFolder,
            errors.InvalidName,
            *errors.NOT_LET_IN,
            errors.TooDeep,
            errors.PathTooLong,
            errors.TooManyChildren,
            QuotaExceeded,
            *WITHHELD,
        ),
    )
    def post(self, request: ActorRequest, node_id: UUID) -> Response:
        """Copy a node, with all below it, into a folder; no bytes move. A large tree is copied by a job: 202, and `result` names the copy.

        History, labels and permissions stay with the original.
        """
        body = request.body_as(CopyNode)
        response = self.repeatable(request, lambda: copy(request.actor, node_id, body))
        return as_job(response)


def as_job(response: Response) -> Response:
    """Answer 202 where what was made is a job, also where the answer is one that was kept."""
    job = response.data
    if isinstance(job, msgspec.Raw):
        told = msgspec.json.decode(job)
        job_id = told["id"] if told.get("state") else None
    else:
        job_id = job.id if isinstance(job, jobs.Job) else None
    if job_id is not None:
        response.status_code = 202
        response.headers["Location"] = f"/api/v1/jobs/{job_id}"
    return response
