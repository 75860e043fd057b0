"""The buckets of the embedded store: when it does real work, and who may talk to it.

What speaks S3 takes 30 MiB, and the supervisor lives as long as the vault: it has this done by a program that ends
(``python -m bitvault.stack.buckets``, with a ``StoreAccess`` as JSON at its standard input).
"""

import contextlib
import json
import sys
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bitvault.stack.process import POLL_SECONDS
from bitvault.stack.stores import ASSETS_BUCKET, BUCKET, REGION, StoreAccess

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CORSRuleTypeDef

PROBE_KEY = "probe/readiness"
PROBE_BODY = b"ready?"

# A browser asks again before each part of an upload once this is over; Chromium caps it at two hours anyway.
PREFLIGHT_SECONDS = 3600


def main() -> None:
    """Wait until the store is ready, for as long as the caller lets this run, and make its buckets."""
    access = StoreAccess(**json.load(sys.stdin))
    while not is_ready(access):
        time.sleep(POLL_SECONDS)
    try:
        prepare(access)
    except (BotoCoreError, ClientError) as refusal:
        sys.exit(str(refusal))


def connect(access: StoreAccess) -> "S3Client":
    """Make a client with the store's own credentials."""
    return boto3.client(
        "s3",
        endpoint_url=access.endpoint_url,
        region_name=REGION,
        aws_access_key_id=access.access_key_id,
        aws_secret_access_key=access.secret_access_key,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            retries={"max_attempts": 0},
            connect_timeout=2,
            read_timeout=10,
        ),
    )


def is_ready(access: StoreAccess) -> bool:
    """Tell whether the store does real work: an object can be written and read back.

    Where the disk has no room left, an answer that says so counts as well: what is stored can be read and deleted.
    """
    with contextlib.closing(connect(access)) as client:
        try:
            _ensure_bucket(client, ASSETS_BUCKET)
            client.put_object(Bucket=ASSETS_BUCKET, Key=PROBE_KEY, Body=PROBE_BODY)
            return client.get_object(Bucket=ASSETS_BUCKET, Key=PROBE_KEY)["Body"].read() == PROBE_BODY
        except ClientError as refusal:
            return refusal.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.INSUFFICIENT_STORAGE
        except BotoCoreError:
            return False


def prepare(access: StoreAccess) -> None:
    """Make both buckets and let the pages of this installation, and no others, talk to them.

    :raises ClientError, BotoCoreError: the store refuses.
    """
    rule: CORSRuleTypeDef = {
        "AllowedOrigins": access.origins,
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag", "x-amz-checksum-sha256", "Content-Range"],
        "MaxAgeSeconds": PREFLIGHT_SECONDS,
    }
    with contextlib.closing(connect(access)) as client:
        for bucket in (BUCKET, ASSETS_BUCKET):
            _ensure_bucket(client, bucket)
            if not _has_cors(client, bucket, rule):
                client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})


def _ensure_bucket(client: "S3Client", bucket: str) -> None:
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as absent:
        if absent.response["ResponseMetadata"]["HTTPStatusCode"] != HTTPStatus.NOT_FOUND:
            raise
        client.create_bucket(Bucket=bucket)


def _has_cors(client: "S3Client", bucket: str, rule: "CORSRuleTypeDef") -> bool:
    with contextlib.suppress(ClientError):
        # Not written at each start: a disk without any room would refuse.
        return [dict(one) for one in client.get_bucket_cors(Bucket=bucket)["CORSRules"]] == [rule]
    return False


if __name__ == "__main__":
    main()
