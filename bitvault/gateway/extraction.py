"""Bringing what an archive holds into a folder: small files together, large ones by parts, each by the way of all uploads."""

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from uuid import UUID

import msgspec

from apps.billing.errors import QuotaExceeded
from apps.files import errors
from apps.files.api import folders
from apps.storage import api as storage
from apps.storage.api import handing_in
from apps.storage.dtos import Upload
from apps.storage.errors import StoreUnavailable
from bitvault.gateway import upload_batches, uploads
from bitvault.gateway.unpacking import DamagedEntry, LeftOut, Packed
from bitvault.jobs import api as jobs
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import BitVaultError, Forbidden, NotFound, TooManyRequests

BATCH_COUNT, BATCH_BYTES = 100, 16 * 1024**2
"""Files of one part that are brought in together, and what they may have in memory."""

LEFT_OUT_TOLD = 500
"""Entries that the result names; ``left_out_count`` counts all of them."""

ASSEMBLY_SECONDS = 600.0
LOOK_SECONDS = 0.5
"""How long a store may need to put a file together, and how often it is asked."""

SERVER_ERROR = 500


class ExtractArchive(msgspec.Struct, frozen=True):
    """A version of an archive, and where it goes, for whom; and to which folder their credential was narrowed."""

    extract_id: UUID
    node_id: UUID
    version_id: UUID
    parent_id: UUID
    name: str
    user_id: UUID
    made_on: str
    folder_id: UUID | None = None


class Place(msgspec.Struct):
    """How far a job is: entries and bytes that are done, and what was left out."""

    entry_count: int = 0
    done_bytes: int = 0
    file_count: int = 0
    folder_count: int = 0
    left_out_count: int = 0
    left_out: list[LeftOut] = []  # msgspec copies an empty list for each


class Extraction:
    """One try: who extracts, into which folder, and how far it is."""

    def __init__(self, actor: Actor, payload: ExtractArchive, place: Place, run: jobs.Run) -> None:
        self._actor = actor
        self._payload = payload
        self._place = place
        self._run = run
        self._folders: dict[tuple[str, ...], UUID | str] = {}
        self._known: set[tuple[str, ...]] = set()
        """Paths of what an earlier try has done."""
        self.top_id = self._name_folder(())

    def bring(self, entries: Sequence[Packed]) -> None:
        """Bring in what is left."""
        if not folders.ensure_folder(
            actor=self._actor, node_id=self.top_id, parent_id=self._payload.parent_id, name=self._payload.name
        ):
            raise errors.ParentGone(parent_id=self.top_id)
        self._folders[()] = self.top_id
        self._known = {
            entry.path[:n] for entry in entries[: self._place.entry_count] for n in range(len(entry.path) + 1)
        }
        batch: list[tuple[Packed, UUID, bytes]] = []
        for entry in entries[self._place.entry_count :]:
            self._run.report(self._place.done_bytes + sum(len(body) for *_, body in batch))
            is_small = storage.has_one_part(size_bytes=entry.size_bytes)
            loaded_bytes = sum(len(body) for *_, body in batch)
            if batch and (not is_small or len(batch) == BATCH_COUNT or loaded_bytes + entry.size_bytes > BATCH_BYTES):
                self._bring_small(batch)
                batch = []
                self._note()
            self._place.entry_count += 1
            self._place.done_bytes += 0 if is_small else entry.size_bytes
            parent = self._find_folder(entry.path if entry.is_folder else entry.path[:-1])
            if isinstance(parent, str):
                self._leave_out(entry, parent)
            elif entry.is_folder:
                continue
            elif is_small:
                try:
                    batch.append((entry, parent, b"".join(entry.read(entry.size_bytes + 1))))
                except DamagedEntry:
                    self._leave_out(entry, "damaged")
            else:
                self._bring_large(entry, parent)
                self._note()
        if batch:
            self._bring_small(batch)
        self._note()

    def _note(self) -> None:
        """Say how far all of it is: another try goes on from here."""
        self._run.report(self._place.done_bytes, checkpoint=msgspec.to_builtins(self._place))

    def _leave_out(self, entry: Packed, reason: str) -> None:
        self._place.left_out_count += 1
        if len(self._place.left_out) < LEFT_OUT_TOLD:
            self._place.left_out.append(LeftOut(entry.told_path, reason))

    def _refuse(self, entry: Packed, error: BitVaultError) -> None:
        """Leave out what this one file cannot have; what stops all of them ends the job, and what may pass has it tried again."""
        if isinstance(error, NotFound):  # the folder that it goes into
            raise errors.ParentGone(parent_id=self.top_id) from error
        stops = isinstance(error, (Forbidden, errors.ParentGone, TooManyRequests))
        if stops or (error.status >= SERVER_ERROR and not isinstance(error, QuotaExceeded)):
            raise error
        self._leave_out(entry, error.code)

    def _name_folder(self, path: tuple[str, ...]) -> UUID:
        """Name a folder of the archive, the same each time."""
        told = self._payload.extract_id.bytes + "/".join(path).encode()
        made = bytearray(self._payload.extract_id.bytes[:6] + sha256(told).digest()[:10])
        made[6] = 0x70 | made[6] & 0x0F
        made[8] = 0x80 | made[8] & 0x3F
        return UUID(bytes=bytes(made))

    def _find_folder(self, path: tuple[str, ...]) -> UUID | str:
        """Give the folder at a path, which is made where it is not there; or the reason why it cannot be."""
        for length in range(1, len(path) + 1):
            at = path[:length]
            if at not in self._folders:
                self._folders[at] = self._make_folder(at, self._folders[at[:-1]])
        return self._folders[path]

    def _make_folder(self, path: tuple[str, ...], parent: UUID | str) -> UUID | str:
        if isinstance(parent, str):
            return parent
        node_id = self._name_folder(path)
        try:
            if not folders.ensure_folder(actor=self._actor, node_id=node_id, parent_id=parent, name=path[-1]):
                return errors.ParentGone.code
        except (errors.TooDeep, errors.PathTooLong, errors.TooManyChildren, errors.InvalidName) as refused:
            return refused.code
        self._place.folder_count += path not in self._known
        return node_id

    def _bring_small(self, batch: Sequence[tuple[Packed, UUID, bytes]]) -> None:
        """Bring in files of one part, all of them together."""
        wanted = [_to_upload(entry, parent_id, [sha256(body).hexdigest()]) for entry, parent_id, body in batch]
        begun: dict[UUID, Packed] = {}
        for (entry, _, body), answer in zip(batch, upload_batches.start(self._actor, wanted), strict=True):
            if not isinstance(answer, Upload):
                self._refuse(entry, answer)
                continue
            if any(part.state == "send" for part in answer.parts):
                handing_in.send_whole(upload_id=answer.id, body=body)
            begun[answer.id] = entry
        self._place.done_bytes += sum(len(body) for *_, body in batch)
        for upload_id, problem in self._commit_small(begun):
            if problem is None:
                self._place.file_count += 1
            else:
                self._leave_out(begun[upload_id], problem)

    def _commit_small(self, begun: Iterable[UUID]) -> Iterable[tuple[UUID, str | None]]:
        """Commit uploads, and ask again for those that take longer; gives each with the code of its problem, if it has one."""
        waiting = [upload_batches.CommitOne(id=upload_id) for upload_id in begun]
        deadline = time.monotonic() + ASSEMBLY_SECONDS
        while waiting:
            items = upload_batches.commit(self._actor, waiting, made_on=self._payload.made_on)
            further = []
            for one, item in zip(waiting, items, strict=True):
                if item.problem is None and item.node is None:
                    further.append(one)
                else:
                    yield one.id, self._read_problem(item)
            waiting = further
            self._wait(deadline, is_over=not waiting)

    def _read_problem(self, item: upload_batches.CommittedItem) -> str | None:
        if item.problem is None:
            return None
        code = str(item.problem["code"])
        if code == errors.ParentGone.code:
            raise errors.ParentGone(parent_id=self.top_id)
        if item.status >= SERVER_ERROR or item.status == TooManyRequests.status:
            raise StoreUnavailable
        return code

    def _bring_large(self, entry: Packed, parent_id: UUID) -> None:
        """Bring one file of several parts in."""
        begun_bytes = self._place.done_bytes - entry.size_bytes
        try:
            upload_id = uploads.start(self._actor, _to_upload(entry, parent_id, [])).id
        except BitVaultError as refused:
            return self._refuse(entry, refused)
        hashes: list[str] = []
        try:
            part_bytes = handing_in.get_part_size(size_bytes=entry.size_bytes)
            for number, body in enumerate(entry.read(part_bytes), start=1):
                self._run.report(begun_bytes + (number - 1) * part_bytes)
                handing_in.send_part(actor=self._actor, upload_id=upload_id, number=number, body=body)
                hashes.append(sha256(body).hexdigest())
            self._commit_large(upload_id, hashes)
            self._place.file_count += 1
        except DamagedEntry:
            self._leave_out(entry, "damaged")
            uploads.abort(self._actor, upload_id)
        except BaseException as ended:
            with suppress(Exception):
                uploads.abort(self._actor, upload_id)
            if not isinstance(ended, BitVaultError):
                raise
            self._refuse(entry, ended)

    def _commit_large(self, upload_id: UUID, hashes: list[str]) -> None:
        deadline = time.monotonic() + ASSEMBLY_SECONDS
        while uploads.commit(self._actor, upload_id, hashes, made_on=self._payload.made_on) is None:
            self._wait(deadline)

    def _wait(self, deadline: float, *, is_over: bool = False) -> None:
        if is_over:
            return
        self._run.report(self._run.done_count)
        if time.monotonic() > deadline:
            raise StoreUnavailable  # the next try finds the same file
        time.sleep(LOOK_SECONDS)


def _to_upload(entry: Packed, parent_id: UUID, part_hashes: list[str]) -> uploads.StartUpload:
    return uploads.StartUpload(
        parent_id=parent_id,
        name=entry.path[-1],
        size_bytes=entry.size_bytes,
        autorename=True,
        client_modified_at=entry.modified_at,
        part_hashes=part_hashes,
    )
