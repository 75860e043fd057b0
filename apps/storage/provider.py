"""The one room that speaks S3. Nothing outside it knows a bucket, a URL or a client.

Control calls go to the internal endpoint; URLs for clients are signed for the public one, those of downloads for one that may be another.
Signing is arithmetic and talks to nobody; every other method talks to the store and therefore refuses to run inside a transaction. The two
things that every upload needs, signing and one HEAD, go past boto3's client, whose machinery costs 1 to 4 ms of CPU per call: signing takes
0.02 ms (``signing``), a HEAD over pooled urllib3 0.3 ms.

A request has short deadlines, a share of its process's threads and a breaker; a worker waits longer and holds up nobody (``store``).
"""

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError
from django.conf import settings

from apps.storage import places
from apps.storage.calls import OF_REQUESTS, OF_WORKERS, Patience, Refused, StoreUnreachable, asks_store
from apps.storage.calls import UploadUnknown as UploadUnknown  # noqa: PLC0414 - what calls of this room raise is found here
from apps.storage.multipart import MultipartObjects
from apps.storage.objects import ListedObject, Signed, StoredObject, checksum_of
from apps.storage.signing import Signer
from apps.storage.small_objects import GET_LIFETIME, STORED_ENCODING, STORED_TYPE
from bitvault.kernel import clock, tenancy
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

OF_TENANT = "{tenant}"
"""In the name of a key: the id of the tenant whose bytes it encrypts, or ``probe``."""

_HEADERS = {
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
    "StorageClass": "x-amz-storage-class",
}
_CHECKSUM = "x-amz-checksum-sha256"
_WITH_CHECKSUM = {"x-amz-checksum-mode": "ENABLED"}

STORE_SHARE = 2
"""Threads of a web process, of five, that may wait for the store at once: with a HEAD of a millisecond, a thousand commits a second."""

PLACED_SHARE = 1
"""The same for each other store: one that stands still costs its own tenants a wait, and all others a thread at most."""

QUEUE_SECONDS = 0.5
"""How long a request waits for one of them while they do come free: short beside a deadline, long beside a healthy call."""

_CONNECTIONS = 32
_OK, _NOT_FOUND = 200, 404


class ObjectStore(MultipartObjects):
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
        prefix: str = "",
        is_virtual: bool = False,
        encryption: str = "",
        kms_key: str = "",
        storage_class: str = "",
        patience: Patience = OF_WORKERS,
        dependency: Dependency | None = None,
    ) -> None:
        """Describe the bucket; nothing is asked yet.

        :param download_endpoint_url: where clients fetch objects; the public endpoint when there is no other.
        :param prefix: what all keys begin with there; nothing outside this class sees it.
        :param is_virtual: whether the bucket stands in the host name.
        :param encryption: what the store is asked to encrypt with (``AES256``, ``aws:kms``); empty: nothing is asked.
        :param kms_key: the key for ``aws:kms``; ``{tenant}`` in it is the entered tenant's id.
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
        self.prefix = prefix
        self.is_virtual = is_virtual
        self._encryption, self._kms_key, self._storage_class = encryption, kms_key, storage_class
        self.base = f"/{prefix}" if is_virtual else f"/{bucket}/{prefix}"
        address = functools.partial(_address_of, bucket=bucket if is_virtual else "")
        keys = {"region": region, "access_key_id": access_key_id, "secret_access_key": secret_access_key}
        self._signer = Signer(endpoint_url=address(self.endpoint_url), **keys)
        self._public_signer = Signer(endpoint_url=address(self.public_endpoint_url), **keys)
        self._download_signer = Signer(endpoint_url=address(self.download_endpoint_url), **keys)
        self._pool = urllib3.connection_from_url(
            address(self.endpoint_url),
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
                s3={"addressing_style": "virtual" if is_virtual else "path"},
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
        """Name the place: endpoint, bucket and prefix."""
        return f"{self.endpoint_url}/{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def bucket_address(self) -> str:
        """The bucket's own address, for requests that nobody signs."""
        if self.is_virtual:
            return _address_of(self.endpoint_url, bucket=self.bucket)
        return f"{self.endpoint_url}/{self.bucket}"

    def written_as(self) -> dict[str, str]:
        """Tell how every object is written here, by boto3's names: how encrypted, with whose key, and in which class."""
        if not (self._encryption or self._storage_class):
            return {}
        tenant = tenancy.find_current()
        key = self._kms_key.replace(OF_TENANT, "probe" if tenant is None else tenant.id.hex)
        wanted = {"ServerSideEncryption": self._encryption, "SSEKMSKeyId": key, "StorageClass": self._storage_class}
        return {name: value for name, value in wanted.items() if value}

    def sign_put(self, *, key: str, size_bytes: int, digest: bytes) -> Signed:
        """Sign the PUT of a whole object: its key, length, type, encoding and SHA-256 are part of the signature."""
        headers = {"Content-Type": STORED_TYPE, "Content-Encoding": STORED_ENCODING, _CHECKSUM: checksum_of(digest)}
        headers |= {_HEADERS[name]: value for name, value in self.written_as().items()}
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
        url = signer.sign_url(method, self.base + key, query=query, headers=signed_headers, lifetime=lifetime)
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
        target, headers = self._signer.sign_bare("HEAD", self.base + key, headers=_WITH_CHECKSUM)
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
            self._client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=b"", IfNoneMatch="*")
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "PreconditionFailed":
                return True
            raise
        return False

    @asks_store(repeatable=True)
    def is_encrypted_as_asked(self, key: str) -> bool:
        """Tell whether the store says of an object that it is encrypted as ``written_as`` has it."""
        asked, told = self.written_as(), self._client.head_object(Bucket=self.bucket, Key=self.prefix + key)
        key_id = asked.get("SSEKMSKeyId", "")
        # Stores answer with the key's own name where an alias was asked for.
        return told.get("ServerSideEncryption") == asked.get("ServerSideEncryption") and (
            not key_id or bool(told.get("SSEKMSKeyId"))
        )

    @asks_store(repeatable=True)
    def list_keys(self, prefix: str) -> list[str]:
        """List the keys of all objects under a prefix."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix + prefix)
        return [found["Key"].removeprefix(self.prefix) for page in pages for found in page.get("Contents", ())]

    @asks_store(repeatable=True)
    def list_page(self, prefix: str, *, after: str = "", limit: int = LIST_PAGE) -> list[ListedObject]:
        """List objects under a prefix in the order of their keys, up to 1,000 of those behind ``after``."""
        answer = self._client.list_objects_v2(
            Bucket=self.bucket, Prefix=self.prefix + prefix, StartAfter=after and self.prefix + after, MaxKeys=limit
        )
        return [
            ListedObject(each["Key"].removeprefix(self.prefix), each["Size"], each["LastModified"])
            for each in answer.get("Contents", ())
        ]

    @asks_store(repeatable=False)
    def read_object(self, key: str, take: Callable[[bytes], None]) -> bool:
        """Read an object and hand its bytes over as they come; ``False`` when it is not there."""
        try:
            body = self._client.get_object(Bucket=self.bucket, Key=self.prefix + key)["Body"]
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
        named: Any = [{"Key": self.prefix + key} for key in keys]
        answer = self._client.delete_objects(Bucket=self.bucket, Delete={"Objects": named, "Quiet": True})
        return {
            error.get("Key", "").removeprefix(self.prefix): str(error.get("Code")) for error in answer.get("Errors", ())
        }


def store() -> ObjectStore:
    """Give the installation's own store, with the deadlines of who asks: a request, or work in the background."""
    return _store_of_workers() if is_background() else _store_of_requests()


def store_of(store_id: UUID | None) -> ObjectStore:
    """Give the store that a row names; ``None`` is the installation's own.

    :raises StoreUnavailable: it is known here no more, or its secret cannot be read.
    """
    if store_id is None:
        return store()
    return _placed(places.get(store_id), is_background())


@functools.cache
def _store_of_requests() -> ObjectStore:
    return _configured(patience=OF_REQUESTS, dependency=_dependency(STORE_SHARE))


@functools.cache
def _store_of_workers() -> ObjectStore:
    return _configured(patience=OF_WORKERS)


@functools.lru_cache(maxsize=64)
def _placed(place: places.Place, for_workers: bool) -> ObjectStore:  # noqa: FBT001 - a key of the cache
    """Make the client of a store; a change of its row makes another one."""
    return ObjectStore(
        endpoint_url=place.endpoint_url,
        public_endpoint_url=place.public_endpoint_url or place.endpoint_url,
        download_endpoint_url=place.download_endpoint_url,
        region=place.region,
        access_key_id=place.access_key_id,
        secret_access_key=places.unseal(place),
        bucket=place.bucket,
        prefix=place.prefix,
        is_virtual=place.addressing == "virtual",
        encryption=place.encryption,
        kms_key=place.kms_key,
        storage_class=place.storage_class,
        patience=OF_WORKERS if for_workers else OF_REQUESTS,
        dependency=None if for_workers else _dependency(PLACED_SHARE),
    )


def _dependency(share: int) -> Dependency:
    return Dependency(
        "store",
        share=share,
        queue_seconds=QUEUE_SECONDS,
        # As many as there are threads: what keeps them free is that nobody waits while the store stands still.
        queue_length=_CONNECTIONS,
        failures=(StoreUnreachable,),
    )


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


def _address_of(url: str, *, bucket: str) -> str:
    """Give the address at which a bucket is asked: with its name before the host's where it stands there."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{bucket}.{parts.netloc}")) if bucket else url
