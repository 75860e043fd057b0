"""What can go wrong with bytes."""

from collections.abc import Sequence

from bitvault.kernel import errors

NAMED_PARTS_LIMIT = 1000
"""Part numbers that one answer names: keeps it small, and a client that sends these learns of the next ones afterwards."""


class UploadNotFound(errors.NotFound):
    """There is no such upload, or it is somebody else's: both read the same."""

    code = "storage.upload_not_found"
    title = "There is no such upload"


class UploadOver(errors.Gone):
    """The upload was given up or has expired; its parts are gone or going."""

    code = "storage.upload_over"
    title = "This upload is over; start another one"


class UploadComplete(errors.Conflict):
    """The bytes of the upload are verified and frozen: it takes no more parts."""

    code = "storage.upload_complete"
    title = "This upload has all its bytes"


class PartsMissing(errors.Conflict):
    """Parts have not reached the store."""

    code = "storage.parts_missing"
    title = "Parts of the file are missing"

    def __init__(self, numbers: Sequence[int], *, announced: bool = True) -> None:
        count = len(numbers)
        super().__init__(
            f"{count} of the file's parts have not arrived; send them and commit again."
            if announced
            else f"The hashes of {count} of the file's parts are not known; announce and send them and commit again.",
            missing_parts=list(numbers[:NAMED_PARTS_LIMIT]),
            missing_count=count,
        )
        self.numbers = numbers


class ContentMismatch(errors.Invalid):
    """What the store holds is not what the upload announced."""

    code = "storage.content_mismatch"
    title = "The bytes in the store are not the announced ones"


class NeedsLonger(Exception):
    """It takes longer than a request may wait for; a worker goes on with it. No refusal, and no caller meets it.

    :param store_is_at_it: whether the store was asked, and goes on by itself.
    """

    def __init__(self, *, store_is_at_it: bool = False) -> None:
        super().__init__()
        self.store_is_at_it = store_is_at_it


class StillCompleting(Exception):
    """A worker goes on with it, or another request does; the same commit later tells the outcome. No refusal, as ``NeedsLonger``."""


class StoreFull(errors.InsufficientStorage):
    """The disk of the object store has no room for this; where we can tell, ``free_bytes`` and ``needed_bytes`` are among the facts."""

    code = "storage.disk_full"
    title = "The server's disk has no room for this"


class PartOutOfRange(errors.Invalid):
    """The file has no part of this number."""

    code = "storage.part_out_of_range"
    title = "The file has no such part"


class FileTooLarge(errors.TooLarge):
    """The file is larger than any store takes in one object."""

    code = "storage.file_too_large"
    title = "The file is larger than 5 TiB"


class ArchiveGone(errors.Gone):
    """The archive has expired; it can be made anew."""

    code = "storage.archive_gone"
    title = "This archive has expired; make another one"


class ArchivesFull(errors.InsufficientStorage):
    """The archives that are kept leave no room for this one; facts: ``limit_bytes``, ``kept_bytes``, ``needed_bytes``."""

    code = "storage.archives_full"
    title = "There are too many archives; wait until some have expired"


class BlobGone(errors.NotFound):
    """The bytes are not there (any more)."""

    code = "storage.blob_gone"
    title = "These bytes are not there any more"


class BlobDamaged(errors.Conflict):
    """The bytes have rotted in the store and are in quarantine; an operator has been told."""

    code = "storage.blob_damaged"
    title = "These bytes were damaged in the object store"


class ContentWithheld(errors.Conflict):
    """The tenant's rule on scanning keeps the bytes from being read; the class of the case tells why."""

    code = "storage.content_withheld"
    title = "This file cannot be opened now"


class ContentScanning(ContentWithheld):
    """The bytes are being scanned for malware, and the vault lets nobody read them before; asked again soon, they are there."""

    code = "storage.content_scanning"
    title = "This file is being scanned for malware. Try again in a moment"


class ContentInfected(ContentWithheld):
    """Malware was found in the bytes; an administrator can release them."""

    code = "storage.content_infected"
    title = "Malware was found in this file. It is in quarantine; ask an administrator of the vault"


class ContentUnscanned(ContentWithheld):
    """The bytes could not be scanned, and the vault lets nobody read what was not."""

    code = "storage.content_unscanned"
    title = "This file could not be scanned for malware, so it stays closed. Ask an administrator of the vault"


WITHHELD = (ContentScanning, ContentInfected, ContentUnscanned)
"""What reading bytes can be refused with because of scanning."""


class StoreUnavailable(errors.Unavailable):
    """The object store does not answer, or answers with an error of its own."""

    code = "storage.store_unavailable"
    title = "The object store does not answer"


class StoreUnfit(errors.Conflict):
    """The object store was not tested, or its last test found that something lacks which BitVault cannot do without."""

    code = "storage.store_unfit"
    title = "This object store was not tested, or did not pass"


class StoreNotFound(errors.NotFound):
    """There is no object store of this name or id."""

    code = "storage.store_not_found"
    title = "There is no such object store"


class MoveUnderWay(errors.Conflict):
    """The tenant's objects are being moved already."""

    code = "storage.move_under_way"
    title = "A move of this tenant is under way"


class NothingToMove(errors.Conflict):
    """The tenant is placed there, and has nothing elsewhere."""

    code = "storage.nothing_to_move"
    title = "Everything of this tenant is there already"


class MoveNotFound(errors.NotFound):
    """No move of the tenant is under way, or it has switched and is past canceling."""

    code = "storage.move_not_found"
    title = "There is no move that can be canceled"
