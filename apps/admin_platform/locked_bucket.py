"""A bucket with Object Lock: what is put there can be changed or deleted by nobody until its time is over, not even by whoever put it.

``Trouble`` says why something did not come there; ``code`` is what is kept and counted of it.
"""

import hashlib
from base64 import b64encode
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from bitvault.kernel import clock, ids

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0

PROOF_LOCKED_FOR = timedelta(minutes=1)
"""How long the object stays that proves the lock: it is of no use afterwards."""

_FORBIDDEN, _NOT_FOUND, _SERVER_ERROR = 403, 404, 500


class Trouble(Exception):
    """Something did not come into the bucket, or the bucket is not what it has to be."""

    def __init__(self, code: str, detail: str) -> None:
        """Say what is wrong: ``away``, ``refused``, ``not_locked`` or ``differs``."""
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class LockedBucket:
    """Puts objects that are locked from the moment at which they are there."""

    name: str
    """``s3://bucket/prefix``."""
    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str
    mode: str
    """``COMPLIANCE`` or ``GOVERNANCE``."""
    days: int

    @property
    def place(self) -> str:
        """What tells it from other buckets; holds no secret."""
        return f"{self.endpoint_url or 'AWS'} {self.name}"

    def require_lock(self) -> None:
        """Ask the bucket whether it locks.

        :raises Trouble: it does not, or gives no answer.
        """
        try:
            answer = self._client().get_object_lock_configuration(Bucket=self._bucket)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ObjectLockConfigurationNotFoundError":
                raise self._unlocked() from error
            raise _trouble_of(error) from error
        except BotoCoreError as error:
            raise _trouble_of(error) from error
        if answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise self._unlocked()

    def put(self, name: str, body: bytes, *, locked_for: timedelta | None = None) -> str | None:
        """Put an object, locked; gives its version where the store has versions. What is there already with this content is left.

        :raises Trouble: it is not there afterwards.
        """
        try:
            answer = self._client().put_object(
                Bucket=self._bucket,
                Key=self._prefix + name,
                Body=body,
                ContentType="application/json",
                ChecksumSHA256=b64encode(hashlib.sha256(body).digest()).decode(),
                ObjectLockMode=self.mode,  # type: ignore[arg-type] # one of two words, as the settings have checked
                ObjectLockRetainUntilDate=clock.now() + (locked_for or timedelta(days=self.days)),
            )
        except ClientError as error:
            # A store without versions refuses to put anything over what is locked: a worker that died had put it.
            if _status_of(error) == _FORBIDDEN and (found := self._find(name)) is not None:
                if found == body:
                    return None
                raise Trouble("differs", f"{name} is there with another content") from error
            raise _trouble_of(error) from error
        except BotoCoreError as error:
            raise _trouble_of(error) from error
        return answer.get("VersionId")

    def require_locked(self, name: str) -> None:
        """Ask whether an object that was put is locked.

        :raises Trouble: it is not.
        """
        try:
            answer = self._client().get_object_retention(Bucket=self._bucket, Key=self._prefix + name)
        except (ClientError, BotoCoreError) as error:
            raise _trouble_of(error) from error
        kept = answer.get("Retention", {})
        if kept.get("Mode") != self.mode or kept.get("RetainUntilDate", clock.now()) <= clock.now():
            raise Trouble("not_locked", f"{name} was taken, and is not locked: the store passes over Object Lock")

    def prove(self) -> None:
        """Put an object and try to delete it; the bucket locks if and only if that is refused.

        :raises Trouble: it is not refused, or something else is.
        """
        self.require_lock()
        name = f"proofs/{ids.new_id().hex}.json"
        version = self.put(name, b"{}\n", locked_for=PROOF_LOCKED_FOR)
        self.require_locked(name)
        named: dict[str, Any] = {"VersionId": version} if version else {}
        try:
            self._client().delete_object(Bucket=self._bucket, Key=self._prefix + name, **named)
        except ClientError as error:
            if _status_of(error) == _FORBIDDEN:
                return
            raise _trouble_of(error) from error
        except BotoCoreError as error:
            raise _trouble_of(error) from error
        raise Trouble("not_locked", f"an object that was locked in {self.name} could be deleted at once")

    def _find(self, name: str) -> bytes | None:
        try:
            body = self._client().get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"]
        except ClientError as error:
            if _status_of(error) in (_FORBIDDEN, _NOT_FOUND):
                return None
            raise _trouble_of(error) from error
        except BotoCoreError as error:
            raise _trouble_of(error) from error
        with closing(body):
            return body.read()

    @property
    def _bucket(self) -> str:
        return self.name.removeprefix("s3://").partition("/")[0]

    @property
    def _prefix(self) -> str:
        prefix = self.name.removeprefix("s3://").partition("/")[2]
        return f"{prefix}/" if prefix else ""

    def _unlocked(self) -> Trouble:
        return Trouble("not_locked", f"{self.name} has no Object Lock: make a bucket that was created with it")

    def _client(self) -> "S3Client":
        return _client_of(self.endpoint_url, self.region, self.access_key_id, self.secret_access_key)


def find_configured() -> LockedBucket | None:
    """Give the bucket that the settings name, if they name one."""
    wanted: dict[str, Any] = settings.BITVAULT_ANCHORS
    if not wanted["bucket"]:
        return None
    return LockedBucket(name=wanted["bucket"], **{name: value for name, value in wanted.items() if name != "bucket"})


def _client_of(endpoint_url: str, region: str, access_key_id: str, secret_access_key: str) -> "S3Client":
    key = (endpoint_url, region, access_key_id, secret_access_key)
    if key not in _clients:
        _clients[key] = boto3.client(
            "s3",
            endpoint_url=endpoint_url or None,
            region_name=region,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                # The next turn is the next try.
                retries={"mode": "standard", "total_max_attempts": 2},
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
    return _clients[key]


_clients: "dict[tuple[str, ...], S3Client]" = {}


def _status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _trouble_of(error: ClientError | BotoCoreError) -> Trouble:
    if isinstance(error, ClientError) and _status_of(error) < _SERVER_ERROR:
        return Trouble("refused", str(error))
    return Trouble("away", str(error))
