"""What both embedded stores have in common: an S3 port on loopback, two buckets, and CORS rules for this installation's pages alone."""

import contextlib
import ctypes
import os
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bitvault.stack.errors import StackError
from bitvault.stack.ports import LOOPBACK
from bitvault.stack.process import Program
from bitvault.stack.secrets import StackSecrets

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CORSRuleTypeDef

REGION = "us-east-1"
BUCKET = "bitvault"
ASSETS_BUCKET = "bitvault-assets"

PROBE_KEY = "probe/readiness"
PROBE_BODY = b"ready?"

FLUSH_SECONDS = 15.0

# A browser asks again before each part of an upload once this is over; Chromium caps it at two hours anyway.
PREFLIGHT_SECONDS = 3600


class StoreKind(StrEnum):
    """The embedded stores; the values are the names of their directories in ``var/``."""

    VERSITYGW = "versitygw"
    SEAWEEDFS = "seaweedfs"


@dataclass(frozen=True, slots=True)
class StoreOrigins:
    """The pages that may talk to the store from a browser: the bare host, and each tenant under it."""

    bare: str
    tenants: str


class EmbeddedStore(ABC):
    """An S3 store that the stack runs itself."""

    kind: ClassVar[StoreKind]
    port_names: ClassVar[tuple[str, ...]]
    """The ports it listens on; ``s3`` is the one that BitVault and its clients use."""

    def __init__(self, *, directory: Path, ports: dict[str, int], secrets: StackSecrets, origins: StoreOrigins) -> None:
        """Describe a store whose data lie in ``directory``; nothing is started."""
        self.directory = directory
        self.ports = ports
        self._secrets = secrets
        self._origins = origins

    @property
    def data(self) -> Path:
        """Name the directory that holds the bytes of all objects."""
        return self.directory / "data"

    @property
    def endpoint_url(self) -> str:
        """Give the address of the S3 port."""
        return f"http://{LOOPBACK}:{self.ports['s3']}"

    @abstractmethod
    def prepare(self) -> Program:
        """Write the configuration and say what to run.

        :raises StackError: the program is not installed, or the data cannot be used.
        """

    def settle(self) -> None:
        """Write to the disk what the program, which has ended, left in memory: a loss of power from now on costs nothing.

        A disk that does not answer is not waited for.
        """
        flushing = threading.Thread(target=flush, args=(self.data,), name="flush of the store", daemon=True)
        flushing.start()
        flushing.join(FLUSH_SECONDS)

    def clean_up(self) -> None:  # noqa: B027 - most stores leave nothing behind
        """Remove what the program, which has ended, left outside its directory."""

    def client(self) -> "S3Client":
        """Make a client with the store's own credentials."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name=REGION,
            aws_access_key_id=self._secrets.s3_access_key_id,
            aws_secret_access_key=self._secrets.s3_secret_access_key,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                retries={"max_attempts": 0},
                connect_timeout=2,
                read_timeout=10,
            ),
        )

    def is_ready(self) -> bool:
        """Tell whether the store does real work: an object can be written and read back.

        Where the disk has no room left, an answer that says so counts as well: what is stored can be read and deleted.
        """
        client = self.client()
        try:
            _ensure_bucket(client, ASSETS_BUCKET)
            client.put_object(Bucket=ASSETS_BUCKET, Key=PROBE_KEY, Body=PROBE_BODY)
            return client.get_object(Bucket=ASSETS_BUCKET, Key=PROBE_KEY)["Body"].read() == PROBE_BODY
        except ClientError as refusal:
            return refusal.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.INSUFFICIENT_STORAGE
        except BotoCoreError:
            return False
        finally:
            client.close()

    def prepare_buckets(self) -> None:
        """Make both buckets and let the pages of this installation, and no others, talk to them.

        :raises StackError: the store refuses.
        """
        client = self.client()
        rules: list[CORSRuleTypeDef] = [self._cors_rule()]
        try:
            for bucket in (BUCKET, ASSETS_BUCKET):
                _ensure_bucket(client, bucket)
                if not _has_cors(client, bucket, rules):
                    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
        except (BotoCoreError, ClientError) as refusal:
            raise StackError(f"The object store refused to make its buckets: {refusal}") from refusal
        finally:
            client.close()

    def _cors_rule(self) -> "CORSRuleTypeDef":
        return {
            "AllowedOrigins": [self._origins.bare, self._origins.tenants],
            "AllowedMethods": ["GET", "HEAD", "PUT"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": ["ETag", "x-amz-checksum-sha256", "Content-Range"],
            "MaxAgeSeconds": PREFLIGHT_SECONDS,
        }


def flush(directory: Path) -> None:
    """Write what the file system of a directory still holds in memory to its disk (``syncfs``; all disks elsewhere than on Linux).

    :raises OSError: the disk refuses.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "syncfs"):
        os.sync()
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if library.syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(directory))
    finally:
        os.close(descriptor)


def _ensure_bucket(client: "S3Client", bucket: str) -> None:
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as absent:
        if absent.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.NOT_FOUND:
            raise
        client.create_bucket(Bucket=bucket)


def _has_cors(client: "S3Client", bucket: str, rules: "list[CORSRuleTypeDef]") -> bool:
    with contextlib.suppress(ClientError):
        # Not written at each start: a disk without any room would refuse.
        return [dict(rule) for rule in client.get_bucket_cors(Bucket=bucket)["CORSRules"]] == rules
    return False
