"""Backups in a bucket of an S3 store: another one than that of users' bytes, or they would be lost together."""

import hashlib
from base64 import b64encode
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART_BYTES = 8 * 1024**2
PART_LIMIT = 10_000
DELETE_BATCH = 1000
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class BucketSettings:
    """How the store of backups is reached."""

    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str


class BucketTarget:
    """Keeps named bytes as objects below a prefix."""

    def __init__(self, *, bucket: str, prefix: str, settings: BucketSettings) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self.work: Path | None = None
        self.name = f"s3://{bucket}/{prefix}".rstrip("/")
        self._client: S3Client = boto3.client(
            "s3",
            endpoint_url=settings.endpoint_url or None,
            region_name=settings.region,
            aws_access_key_id=settings.access_key_id,
            aws_secret_access_key=settings.secret_access_key,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                retries={"mode": "standard", "total_max_attempts": 5},
                connect_timeout=5,
                read_timeout=120,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def write(self, name: str, pieces: Iterable[bytes], *, size_bytes: int) -> None:
        """Write an object, in parts where it is large; the store compares the SHA-256 of each."""
        key = self._prefix + name
        part_bytes = max(PART_BYTES, -(-size_bytes // PART_LIMIT))
        if size_bytes <= part_bytes:
            body = b"".join(pieces)
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ChecksumSHA256=_checksum(body))
            return
        begun = self._client.create_multipart_upload(Bucket=self._bucket, Key=key, ChecksumAlgorithm="SHA256")
        named: dict[str, Any] = {"Bucket": self._bucket, "Key": key, "UploadId": begun["UploadId"]}
        try:
            done: list[Any] = []
            for number, body in enumerate(_cut(pieces, part_bytes), start=1):
                digest = _checksum(body)
                sent = self._client.upload_part(**named, PartNumber=number, Body=body, ChecksumSHA256=digest)
                done.append({"PartNumber": number, "ETag": sent["ETag"], "ChecksumSHA256": digest})
            self._client.complete_multipart_upload(**named, MultipartUpload={"Parts": done})
        except BaseException:
            self._client.abort_multipart_upload(**named)
            raise

    def read(self, name: str) -> Iterator[bytes]:
        """Read an object in pieces."""
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"]
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == _NOT_FOUND:
                raise FileNotFoundError(name) from None
            raise
        with closing(body):
            yield from body.iter_chunks(PART_BYTES)

    def find_sizes(self, names: Collection[str]) -> dict[str, int]:
        """List from the first of the names to the last: they lie close together, so that is few answers."""
        wanted = {self._prefix + name: name for name in names}
        if not wanted:
            return {}
        last, found = max(wanted), {}
        # What is listed begins behind a key, so one that is just before the first of them.
        after = min(wanted)[:-1]
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix, StartAfter=after
        )
        for page in pages:
            for each in page.get("Contents", ()):
                if each["Key"] in wanted:
                    found[wanted[each["Key"]]] = each["Size"]
            if page.get("Contents") and page["Contents"][-1]["Key"] >= last:
                break
        return found

    def list_folders(self, folder: str) -> list[str]:
        """List the common prefixes below a prefix."""
        whole = f"{self._prefix}{folder}/"
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=whole, Delimiter="/")
        found = [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ())]
        return sorted(each[len(whole) : -1] for each in found)

    def list_names(self, folder: str) -> list[str]:
        """List all objects below a prefix."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=f"{self._prefix}{folder}/"
        )
        return [each["Key"].removeprefix(self._prefix) for page in pages for each in page.get("Contents", ())]

    def delete(self, names: Collection[str]) -> None:
        """Delete objects; one that is not there counts as deleted."""
        keys = [self._prefix + name for name in names]
        for start in range(0, len(keys), DELETE_BATCH):
            batch: Any = [{"Key": key} for key in keys[start : start + DELETE_BATCH]]
            self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": batch, "Quiet": True})


def _checksum(body: bytes) -> str:
    return b64encode(hashlib.sha256(body).digest()).decode()


def _cut(pieces: Iterable[bytes], part_bytes: int) -> Iterator[bytes]:
    """Cut what comes into parts of one size."""
    growing = bytearray()
    for piece in pieces:
        growing += piece
        while len(growing) >= part_bytes:
            yield bytes(growing[:part_bytes])
            del growing[:part_bytes]
    if growing:
        yield bytes(growing)
