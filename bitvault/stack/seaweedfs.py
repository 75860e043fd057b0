"""SeaweedFS for the embedded stack: an S3 store with every other door shut.

A default start lets anybody read and write chunks by HTTP and by gRPC. Only the three measures together close that: no
HTTP on the inner servers, signing keys for what is left, and mutual TLS on gRPC.
"""

import contextlib
import json
import signal
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from shutil import which
from sys import prefix
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bitvault.stack.certificates import ensure_certificate
from bitvault.stack.errors import StackError
from bitvault.stack.ports import LOOPBACK
from bitvault.stack.process import Program
from bitvault.stack.secrets import StackSecrets, write_private

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CORSRuleTypeDef

REGION = "us-east-1"
BUCKET = "bitvault"
ASSETS_BUCKET = "bitvault-assets"

# Each inner server has an HTTP port (which answers status pages only) and a gRPC port.
INNER_SERVERS = ("master", "volume", "filer", "s3")
PORT_NAMES = tuple(f"{server}{suffix}" for server in INNER_SERVERS for suffix in ("", "_grpc"))

# Where the store puts four sockets of its own besides; the place cannot be configured.
SOCKETS = Path("/tmp")  # noqa: S108 - it is the store that chose it

PROBE_KEY = "probe/readiness"
PROBE_BODY = b"ready?"

# A browser asks again before each part of an upload once this is over; Chromium caps it at two hours anyway.
PREFLIGHT_SECONDS = 3600

# Where the HTTP answer to a foreign page allows nobody: the name cannot exist (RFC 6761).
NOBODY = "https://none.invalid"


@dataclass(frozen=True, slots=True)
class StoreOrigins:
    """The pages that may talk to the store from a browser: the bare host, and each tenant under it."""

    bare: str
    tenants: str


class SeaweedFS:
    """The embedded S3 store."""

    def __init__(self, *, directory: Path, ports: dict[str, int], secrets: StackSecrets, origins: StoreOrigins) -> None:
        """Describe a store whose data lie in ``directory``; nothing is started."""
        self.directory = directory
        self.ports = ports
        self._secrets = secrets
        self._origins = origins

    @property
    def endpoint_url(self) -> str:
        """Give the address of the S3 door."""
        return f"http://{LOOPBACK}:{self.ports['s3']}"

    def prepare(self) -> Program:
        """Write the configuration and say what to run."""
        self.directory.mkdir(mode=0o700, exist_ok=True)
        data = self.directory / "data"
        data.mkdir(mode=0o700, exist_ok=True)
        write_private(self.directory / "s3.json", json.dumps(self._identities(), indent=2))
        return Program(
            name="seaweedfs",
            command=(weed_binary(), "-logtostderr=true", "server", *self._options(data)),
            directory=self.directory,
            environment=self._environment(),
            # SIGTERM takes it 15 s, waiting for other servers that do not exist here; acknowledged objects survive
            # SIGKILL.
            grace_seconds=2.0,
            death_signal=signal.SIGKILL,
        )

    def _options(self, data: Path) -> list[str]:
        ports = [
            f"-{server}.port{suffix.replace('_', '.')}={self.ports[server + suffix]}"
            for server in INNER_SERVERS
            for suffix in ("", "_grpc")
        ]
        return [
            *ports,
            f"-dir={data}",
            f"-ip={LOOPBACK}",
            f"-ip.bind={LOOPBACK}",
            "-filer",
            "-s3",
            f"-s3.config={self.directory / 's3.json'}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-master.telemetry=false",
            "-disableHttp",
            "-s3.iam=false",
            "-s3.autoCreateBucket=false",
            "-s3.allowDeleteBucketNotEmpty=false",
            f"-s3.allowedOrigins={NOBODY}",
            f"-filer.allowedOrigins={NOBODY}",
            "-filer.exposeDirectoryData=false",
            "-filer.disableDirListing",
            "-filer.tusBasePath=",
            f"-filer.localSocket={self.directory / 'filer.sock'}",
            f"-s3.localSocket={self.directory / 's3.sock'}",
            "-volume.max=0",
            "-master.volumeSizeLimitMB=1024",
            # One node has nobody to elect and nobody to say goodbye to.
            "-volume.preStopSeconds=0",
            "-master.electionTimeout=1s",
            "-master.resumeState=false",
        ]

    def _environment(self) -> dict[str, str]:
        tls = ensure_certificate(self.directory / "tls")
        keys = {
            "WEED_JWT_SIGNING_KEY": self._secrets.store_jwt_write,
            "WEED_JWT_SIGNING_READ_KEY": self._secrets.store_jwt_read,
            "WEED_JWT_FILER_SIGNING_KEY": self._secrets.store_jwt_filer_write,
            "WEED_JWT_FILER_SIGNING_READ_KEY": self._secrets.store_jwt_filer_read,
            "WEED_S3_SSE_KEK": self._secrets.store_kek,
            "WEED_GRPC_CA": str(tls.authority),
        }
        for role in ("MASTER", "VOLUME", "FILER", "S3", "CLIENT"):
            keys[f"WEED_GRPC_{role}_CERT"] = str(tls.certificate)
            keys[f"WEED_GRPC_{role}_KEY"] = str(tls.key)
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.directory), **keys}

    def _identities(self) -> dict[str, object]:
        credentials = {"accessKey": self._secrets.s3_access_key_id, "secretKey": self._secrets.s3_secret_access_key}
        return {"identities": [{"name": "bitvault", "credentials": [credentials], "actions": ["Admin"]}]}

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
        """Tell whether an object can be written and read back: the port answers seconds before writes succeed."""
        client = self.client()
        try:
            _ensure_bucket(client, ASSETS_BUCKET)
            client.put_object(Bucket=ASSETS_BUCKET, Key=PROBE_KEY, Body=PROBE_BODY)
            return client.get_object(Bucket=ASSETS_BUCKET, Key=PROBE_KEY)["Body"].read() == PROBE_BODY
        except (BotoCoreError, ClientError):
            return False
        finally:
            client.close()

    def prepare_buckets(self) -> None:
        """Make both buckets and let the pages of this installation, and no others, talk to them."""
        client = self.client()
        try:
            for bucket in (BUCKET, ASSETS_BUCKET):
                _ensure_bucket(client, bucket)
                client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [self._cors_rule()]})
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

    def clean_up(self) -> None:
        """Remove the sockets that the store leaves behind."""
        for server in INNER_SERVERS:
            with contextlib.suppress(FileNotFoundError, PermissionError):
                (SOCKETS / f"seaweedfs-{server}-grpc-{self.ports[server + '_grpc']}.sock").unlink()


def _ensure_bucket(client: "S3Client", bucket: str) -> None:
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as absent:
        if absent.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.NOT_FOUND:
            raise
        client.create_bucket(Bucket=bucket)


def weed_binary() -> str:
    """Find the store's program beside the running interpreter.

    :raises StackError: the package is not installed.
    """
    found = which("weed", path=str(Path(prefix) / "bin"))
    if found is None:
        raise StackError("The object store is not installed here: run 'make venv'.")
    return found
