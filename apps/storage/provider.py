"""The one room that speaks S3. Nothing outside it knows a bucket, a URL or a client.

Control calls go to the internal endpoint; URLs for clients are signed for the public one, those of downloads for one that may be another.
Signing is arithmetic and talks to nobody; every other method talks to the store and therefore refuses to run inside a transaction. The two
things that every upload needs, signing and one HEAD, go past boto3's client, whose machinery costs 1 to 4 ms of CPU per call: signing takes
0.02 ms (``signing``), a HEAD over pooled urllib3 0.3 ms.

A request has short deadlines, a share of its process's threads and a breaker; a worker waits longer and holds up nobody (``store``).
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError
from django.conf import settings

from apps.storage.calls import OF_REQUESTS, OF_WORKERS, Patience, Refused, StoreUnreachable, asks_store
from apps.storage.calls import UploadUnknown as UploadUnknown  # noqa: PLC0414 - what calls of this room raise is found here
from apps.storage.errors import ContentMismatch, NeedsLonger
from apps.storage.objects import ListedObject, Signed, StoredObject, StoredPart, checksum_of
from apps.storage.signing import Signer
from apps.storage.small_objects import GET_LIFETIME, STORED_ENCODING, STORED_TYPE, SmallObjects
from bitvault.kernel import clock
from bitvault.kernel.deadlines import is_background
from bitvault.kernel.dependencies import Dependency

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PUT_LIFETIME = timedelta(minutes=15)
"""Life of an upload URL. Shorter leaks less; longer lets a slow line (8 MiB at 75 kbit/s) finish, for a request counts when it begins."""

DELETE_BATCH = 1000
"""Keys of one DeleteObjects call; S3's limit."""

LIST_PAGE = 1000
"""Objects that one answer lists; S3's limit."""

HEADS_AT_ONCE = 4
"""Objects that are asked for at once for one batch: hides most of the store's latency and leaves it time for others."""

READ_BYTES = 1024 * 1024
"""How much of an object is held in memory while it is read."""

_CHECKSUM = "x-amz-checksum-sha256"
_WITH_CHECKSUM = {"x-amz-checksum-mode": "ENABLED"}

STORE_SHARE = 2
"""Threads of a web process, of five, that may wait for the store at once: with a HEAD of a millisecond, a thousand commits a second."""

QUEUE_SECONDS = 0.5
"""How long a request waits for one of them while they do come free: short beside a deadline, long beside a healthy call."""

_CONNECTIONS = 32
_OK, _NOT_FOUND = 200, 404
_SENDER_ERRORS = (
    "BadDigest",
    "InvalidPart",
    "InvalidPartOrder",
    "EntityTooSmall",
    "XAmzContentChecksumMismatch",
    "InvalidRequest",
)


class ObjectStore(SmallObjects):
    """A bucket of an S3 store."""

    def __init__(
        self,
        *,
        endpoint_url: str,
        public_endpoint_url: str,
        region: str,
        access_key_id: str,
        secret_access_key: str,
        bucket: str,
        download_endpoint_url: str = "",
        patience: Patience = OF_WORKERS,
        dependency: Dependency | None = None,
    ) -> None:
        """Describe the bucket; nothing is asked yet.

        :param download_endpoint_url: where clients fetch objects; the public endpoint when there is no other.
        :param patience: the deadlines of its calls.
        :param dependency: the share that its calls take a place of, and the breaker that refuses them while the store is down.
        """
        self.patience = patience
        self.dependency = dependency
        self.endpoint_url = endpoint_url.rstrip("/")
        self.public_endpoint_url = public_endpoint_url.rstrip("/")
        self.download_endpoint_url = download_endpoint_url.rstrip("/") or self.public_endpoint_url
        self.region = region
        self.bucket = bucket
        keys = {"region": region, "access_key_id": access_key_id, "secret_access_key": secret_access_key}
        self._signer = Signer(endpoint_url=self.endpoint_url, **keys)
        self._public_signer = Signer(endpoint_url=self.public_endpoint_url, **keys)
        self._download_signer = Signer(endpoint_url=self.download_endpoint_url, **keys)
        self._pool = urllib3.connection_from_url(
            self.endpoint_url,
            maxsize=_CONNECTIONS,
            timeout=urllib3.Timeout(connect=patience.connect_seconds, read=patience.read_seconds),
            retries=False,
        )
        self._client: S3Client = boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name=region,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                retries={"total_max_attempts": 1},
                connect_timeout=patience.connect_seconds,
                read_timeout=patience.read_seconds,
                max_pool_connections=_CONNECTIONS,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    @property
    def name(self) -> str:
        """Name the place: endpoint and bucket."""
        return f"{self.endpoint_url}/{self.bucket}"

    def sign_put(self, *, key: str, size_bytes: int, digest: bytes) -> Signed:
        """Sign the PUT of a whole object: its key, length, type, encoding and SHA-256 are part of the signature."""
        headers = {"Content-Type": STORED_TYPE, "Content-Encoding": STORED_ENCODING, _CHECKSUM: checksum_of(digest)}
        return self._sign_for_client("PUT", key, {}, headers, size_bytes, PUT_LIFETIME)

    def sign_put_part(self, *, key: str, store_upload_id: str, number: int, size_bytes: int, digest: bytes) -> Signed:
        """Sign the PUT of one part of a multipart upload: its number, length and SHA-256 are part of the signature."""
        query = {"partNumber": str(number), "uploadId": store_upload_id}
        return self._sign_for_client("PUT", key, query, {_CHECKSUM: checksum_of(digest)}, size_bytes, PUT_LIFETIME)

    def sign_get(
        self, *, key: str, disposition: str, media_type: str, method: str = "GET", lifetime: timedelta = GET_LIFETIME
    ) -> Signed:
        """Sign the download of an object (or its HEAD), with what the answer's headers will say."""
        query = {
            "response-content-disposition": disposition,
            "response-content-type": media_type,
            "response-content-encoding": STORED_ENCODING,
            "response-cache-control": "private, no-store",
        }
        return self._sign_for_client(method, key, query, {}, None, lifetime)

    def _sign_for_client(
        self,
        method: str,
        key: str,
        query: dict[str, str],
        headers: dict[str, str],
        size_bytes: int | None,
        lifetime: timedelta,
    ) -> Signed:
        # Content-Length is signed, but not handed out: every client writes it itself, and browsers let nobody else.
        signed_headers = headers if size_bytes is None else {**headers, "Content-Length": str(size_bytes)}
        signer = self._public_signer if method == "PUT" else self._download_signer
        url = signer.sign_url(method, f"/{self.bucket}/{key}", query=query, headers=signed_headers, lifetime=lifetime)
        return Signed(method=method, url=url, headers=headers, expires_at=clock.now() + lifetime)

    @asks_store(repeatable=True)
    def find_object(self, key: str) -> StoredObject | None:
        """Ask for the size and checksum of an object."""
        return self._find(key)

    @asks_store(repeatable=True)
    def find_objects(self, keys: Sequence[str]) -> dict[str, StoredObject | None]:
        """Ask for the size and checksum of several objects, a few at a time; all of it is one call of its caller's share."""
        with ThreadPoolExecutor(max_workers=HEADS_AT_ONCE) as askers:
            return dict(zip(keys, askers.map(self._find, keys), strict=True))

    def _find(self, key: str) -> StoredObject | None:
        target, headers = self._signer.sign_bare("HEAD", f"/{self.bucket}/{key}", headers=_WITH_CHECKSUM)
        answer = self._pool.urlopen("HEAD", target, headers=headers, redirect=False)
        if answer.status == _NOT_FOUND:
            return None
        if answer.status != _OK:
            raise Refused(answer.status)
        return StoredObject(size_bytes=int(answer.headers["Content-Length"]), checksum=answer.headers.get(_CHECKSUM))

    @asks_store(repeatable=False)
    def refuses_overwrite(self, key: str) -> bool:
        """Tell whether a PUT that must not overwrite (``If-None-Match: *``) is refused where an object is."""
        try:
            self._client.put_object(Bucket=self.bucket, Key=key, Body=b"", IfNoneMatch="*")
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "PreconditionFailed":
                return True
            raise
        return False

    @asks_store(repeatable=True)
    def list_keys(self, prefix: str) -> list[str]:
        """List the keys of all objects under a prefix."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]

    @asks_store(repeatable=True)
    def list_page(self, prefix: str, *, after: str = "", limit: int = LIST_PAGE) -> list[ListedObject]:
        """List objects under a prefix in the order of their keys, up to 1,000 of those behind ``after``."""
        answer = self._client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, StartAfter=after, MaxKeys=limit)
        return [ListedObject(each["Key"], each["Size"], each["LastModified"]) for each in answer.get("Contents", ())]

    @asks_store(repeatable=False)
    def read_object(self, key: str, take: Callable[[bytes], None]) -> bool:
        """Read an object and hand its bytes over as they come; ``False`` when it is not there."""
        try:
            body = self._client.get_object(Bucket=self.bucket, Key=key)["Body"]
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == _NOT_FOUND:
                return False
            raise
        with closing(body):
            for chunk in body.iter_chunks(READ_BYTES):
                take(chunk)
        return True

    @asks_store(repeatable=True)
    def delete_objects(self, keys: Sequence[str]) -> None:
        """Delete objects; one that is not there counts as deleted."""
        for start in range(0, len(keys), DELETE_BATCH):
            refused = self._delete_batch(keys[start : start + DELETE_BATCH])
            if refused:
                raise Refused(_OK, next(iter(refused.values())))

    @asks_store(repeatable=True)
    def delete_batch(self, keys: Sequence[str]) -> dict[str, str]:
        """Delete up to 1,000 objects; returns the keys that the store refused to delete, each with its code."""
        return self._delete_batch(keys)

    def _delete_batch(self, keys: Sequence[str]) -> dict[str, str]:
        named: Any = [{"Key": key} for key in keys]
        answer = self._client.delete_objects(Bucket=self.bucket, Delete={"Objects": named, "Quiet": True})
        return {error.get("Key", ""): str(error.get("Code")) for error in answer.get("Errors", ())}

    @asks_store(repeatable=False)
    def create_multipart_upload(self, key: str) -> str:
        """Begin a multipart upload whose parts must come with their SHA-256; returns the store's id of it."""
        answer = self._client.create_multipart_upload(
            Bucket=self.bucket,
            Key=key,
            ChecksumAlgorithm="SHA256",  # without it parts are checked, but no composite is kept
            ContentType=STORED_TYPE,
            ContentEncoding=STORED_ENCODING,
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
        pages = self._client.get_paginator("list_parts").paginate(Bucket=self.bucket, Key=key, UploadId=store_upload_id)
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
            Key=key,
            UploadId=store_upload_id,
            PartNumber=number,
            CopySource={"Bucket": self.bucket, "Key": source_key},
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
                Bucket=self.bucket, Key=key, UploadId=store_upload_id, MultipartUpload={"Parts": named}
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
        self._client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=store_upload_id)

    @asks_store(repeatable=True)
    def list_multipart_uploads(self, prefix: str, *, before: datetime | None = None) -> list[tuple[str, str]]:
        """List ``(key, the store's id)`` of unfinished multipart uploads under a prefix, at most the 1,000 of one answer.

        With ``before``, only those of them that were begun before that moment.

        Not paged: stores page this call each in a way of its own, and a sweep that comes again needs no more.
        """
        answer = self._client.list_multipart_uploads(Bucket=self.bucket, Prefix=prefix)
        return [
            (found["Key"], found["UploadId"])
            for found in answer.get("Uploads", ())
            if before is None or found["Initiated"] < before
        ]


def store() -> ObjectStore:
    """Give the configured store of users' bytes, with the deadlines of who asks: a request, or work in the background."""
    return _store_of_workers() if is_background() else _store_of_requests()


@functools.cache
def _store_of_requests() -> ObjectStore:
    dependency = Dependency(
        "store",
        share=STORE_SHARE,
        queue_seconds=QUEUE_SECONDS,
        # As many as there are threads: what keeps them free is that nobody waits while the store stands still.
        queue_length=_CONNECTIONS,
        failures=(StoreUnreachable,),
    )
    return _configured(patience=OF_REQUESTS, dependency=dependency)


@functools.cache
def _store_of_workers() -> ObjectStore:
    return _configured(patience=OF_WORKERS)


def _configured(*, patience: Patience, dependency: Dependency | None = None) -> ObjectStore:
    configured = settings.BITVAULT_STORE
    return ObjectStore(
        endpoint_url=configured["endpoint_url"],
        public_endpoint_url=configured["public_endpoint_url"],
        download_endpoint_url=configured["download_endpoint_url"],
        region=configured["region"],
        access_key_id=configured["access_key_id"],
        secret_access_key=configured["secret_access_key"],
        bucket=configured["bucket"],
        patience=patience,
        dependency=dependency,
    )
