"""Objects that BitVault itself reads and writes in the background: parts of blobs, and what is derived from them."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from apps.storage.calls import Patience, asks_store
from apps.storage.objects import Signed, checksum_of
from apps.storage.signing import Signer
from bitvault.kernel import clock
from bitvault.kernel.dependencies import Dependency

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

GET_LIFETIME = timedelta(minutes=5)
"""Life of a download URL, and so of a right that was just taken away. A download that has begun goes on."""

STORED_TYPE = "application/octet-stream"
"""What every object is stored as. The type that a reader sees is decided when a download is signed, never by whoever uploaded."""

STORED_ENCODING = "identity"
"""Signed, because an unsigned Content-Encoding would be stored, and a browser would then decode bytes that nobody verified."""

SHOWN_STEP_SECONDS = 300
"""How long a URL of a derived object stays the same, so that browsers keep its answer. A right that was taken away ends that much later."""

_NOT_FOUND = 404


class SmallObjects:
    """What the store of users' bytes (``provider.ObjectStore``) does with them."""

    patience: Patience
    dependency: Dependency | None
    bucket: str
    prefix: str
    base: str
    """What stands before a key in the path of an address."""
    _client: "S3Client"
    _download_signer: Signer

    def written_as(self) -> dict[str, str]:
        """Tell how every object is written here, by boto3's names."""
        raise NotImplementedError

    def sign_shown(self, *, key: str, media_type: str) -> Signed:
        """Sign the reading of a derived object by a page. The URL stays the same for some minutes, so that browsers keep its answer."""
        query = {
            "response-content-disposition": "inline",
            "response-content-type": media_type,
            "response-content-encoding": STORED_ENCODING,
            "response-cache-control": f"private, max-age={int(GET_LIFETIME.total_seconds())}, immutable",
        }
        now = clock.now()
        begun = datetime.fromtimestamp(now.timestamp() // SHOWN_STEP_SECONDS * SHOWN_STEP_SECONDS, UTC)
        lifetime = GET_LIFETIME + timedelta(seconds=SHOWN_STEP_SECONDS)
        url = self._download_signer.sign_url(
            "GET", self.base + key, query=query, headers={}, lifetime=lifetime, at=begun
        )
        return Signed(method="GET", url=url, headers={}, expires_at=begun + lifetime)

    @asks_store(repeatable=True)
    def read_range(self, key: str, *, first_byte: int, limit_bytes: int) -> bytes | None:
        """Read some bytes of an object; ``None`` when it is not there."""
        wanted = f"bytes={first_byte}-{first_byte + limit_bytes - 1}"
        try:
            with closing(
                self._client.get_object(Bucket=self.bucket, Key=self.prefix + key, Range=wanted)["Body"]
            ) as body:
                return body.read()
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == _NOT_FOUND:
                return None
            raise

    @asks_store(repeatable=True)
    def put_object(self, key: str, body: bytes) -> None:
        """Write a small object of our own making; the store compares its SHA-256."""
        digest = checksum_of(sha256(body).digest())
        written_as: Any = self.written_as()
        self._client.put_object(
            Bucket=self.bucket,
            Key=self.prefix + key,
            Body=body,
            ContentType=STORED_TYPE,
            ChecksumSHA256=digest,
            **written_as,
        )

    @asks_store(repeatable=True)
    def put_part(self, *, key: str, store_upload_id: str, number: int, body: bytes) -> str:
        """Write a part of an object of our own making; the store compares its SHA-256. Returns the part's ETag.

        :raises UploadUnknown: the multipart upload is completed or aborted.
        """
        digest = checksum_of(sha256(body).digest())
        answer = self._client.upload_part(
            Bucket=self.bucket,
            Key=self.prefix + key,
            UploadId=store_upload_id,
            PartNumber=number,
            Body=body,
            ChecksumSHA256=digest,
        )
        return answer["ETag"]
