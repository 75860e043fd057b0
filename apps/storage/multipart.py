"""Objects of several parts: begun, filled by clients or by the store itself, and put together."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from apps.storage.calls import asks_store
from apps.storage.errors import ContentMismatch, NeedsLonger
from apps.storage.objects import StoredPart, checksum_of
from apps.storage.small_objects import STORED_ENCODING, STORED_TYPE, SmallObjects

_SENDER_ERRORS = (
    "BadDigest",
    "InvalidPart",
    "InvalidPartOrder",
    "EntityTooSmall",
    "XAmzContentChecksumMismatch",
    "InvalidRequest",
)


class MultipartObjects(SmallObjects):
    """What the store of users' bytes (``provider.ObjectStore``) does with objects of several parts."""

    @asks_store(repeatable=False)
    def create_multipart_upload(self, key: str) -> str:
        """Begin a multipart upload whose parts must come with their SHA-256; returns the store's id of it."""
        written_as: Any = self.written_as()
        answer = self._client.create_multipart_upload(
            Bucket=self.bucket,
            Key=self.prefix + key,
            ChecksumAlgorithm="SHA256",  # without it parts are checked, but no composite is kept
            ContentType=STORED_TYPE,
            ContentEncoding=STORED_ENCODING,
            **written_as,
        )
        return answer["UploadId"]

    @asks_store(repeatable=True)
    def list_parts(self, *, key: str, store_upload_id: str) -> dict[int, StoredPart]:
        """List the parts that the store holds, by number. Some stores keep every copy of a part that was sent again: the newest counts.

        :raises UploadUnknown: the multipart upload is completed or aborted.
        """
        held: dict[int, StoredPart] = {}
        for part in self._pages_of_parts(key, store_upload_id):
            before = held.get(part.number)
            if before is None or part.modified_at >= before.modified_at:
                held[part.number] = part
        return held

    def _pages_of_parts(self, key: str, store_upload_id: str) -> Iterator[StoredPart]:
        pages = self._client.get_paginator("list_parts").paginate(
            Bucket=self.bucket, Key=self.prefix + key, UploadId=store_upload_id
        )
        for page in pages:
            for part in page.get("Parts", ()):
                yield StoredPart(
                    number=part["PartNumber"],
                    size_bytes=part["Size"],
                    etag=part["ETag"],
                    modified_at=part["LastModified"],
                    checksum=part.get("ChecksumSHA256"),
                )

    @asks_store(repeatable=True)
    def copy_part(
        self, *, key: str, store_upload_id: str, number: int, source_key: str, first_byte: int, size_bytes: int
    ) -> str:
        """Let the store fill a part from bytes of another object; returns the part's ETag.

        :raises UploadUnknown: the multipart upload is completed or aborted.
        """
        answer = self._client.upload_part_copy(
            Bucket=self.bucket,
            Key=self.prefix + key,
            UploadId=store_upload_id,
            PartNumber=number,
            CopySource={"Bucket": self.bucket, "Key": self.prefix + source_key},
            CopySourceRange=f"bytes={first_byte}-{first_byte + size_bytes - 1}",
        )
        return answer["CopyPartResult"]["ETag"]

    @asks_store(repeatable=False)
    def complete_multipart_upload(
        self, *, key: str, store_upload_id: str, parts: Sequence[tuple[int, str, bytes]]
    ) -> None:
        """Put an object together from ``(number, etag, digest)`` of each part.

        That this returns proves nothing: a repeated call succeeds with any list of parts. Compare what ``find_object`` says.

        :raises ContentMismatch: a part is not what its digest says.
        :raises UploadUnknown: the multipart upload is completed or aborted.
        :raises NeedsLonger: the store works on it past this call's deadline, and goes on.
        """
        named: Any = [
            {"PartNumber": number, "ETag": etag, "ChecksumSHA256": checksum_of(digest)}
            for number, etag, digest in parts
        ]
        try:
            self._client.complete_multipart_upload(
                Bucket=self.bucket, Key=self.prefix + key, UploadId=store_upload_id, MultipartUpload={"Parts": named}
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _SENDER_ERRORS:
                raise ContentMismatch from error
            raise
        except ReadTimeoutError as error:
            raise NeedsLonger(store_is_at_it=True) from error

    @asks_store(repeatable=True)
    def abort_multipart_upload(self, *, key: str, store_upload_id: str) -> None:
        """Drop a multipart upload and its parts.

        :raises UploadUnknown: it is completed or aborted already.
        """
        self._client.abort_multipart_upload(Bucket=self.bucket, Key=self.prefix + key, UploadId=store_upload_id)

    @asks_store(repeatable=True)
    def list_multipart_uploads(self, prefix: str, *, before: datetime | None = None) -> list[tuple[str, str]]:
        """List ``(key, the store's id)`` of unfinished multipart uploads under a prefix, at most the 1,000 of one answer.

        With ``before``, only those of them that were begun before that moment.

        Not paged: stores page this call each in a way of its own, and a sweep that comes again needs no more.
        """
        answer = self._client.list_multipart_uploads(Bucket=self.bucket, Prefix=self.prefix + prefix)
        return [
            (found["Key"].removeprefix(self.prefix), found["UploadId"])
            for found in answer.get("Uploads", ())
            if before is None or found["Initiated"] < before
        ]
