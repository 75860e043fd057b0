"""Stores beside the installation's own: places in a second embedded store, with rows that lead there."""

from typing import Any
from uuid import uuid4

from bitvault.kernel import clock, ids, sealing


def row_of(
    settings: dict[str, str], *, bucket: str, name: str = "second", prefix: str = "", tested: bool = True
) -> Any:
    """Write the row of a store that the settings lead to, and test it."""
    from apps.storage import conformance, places
    from apps.storage.models import Store

    row = Store.objects.create(
        id=ids.new_id(),
        name=name,
        endpoint_url=settings["endpoint_url"],
        public_endpoint_url=settings["public_endpoint_url"],
        region="us-east-1",
        bucket=bucket,
        prefix=prefix,
        access_key_id=settings["access_key_id"],
        sealed_secret=sealing.seal(settings["secret_access_key"], purpose=places.PURPOSE),
        changed_at=clock.now(),
    )
    places.forget()
    if tested:
        assert conformance.probe_configured(row.id).is_fit
    return row


def forget() -> None:
    """Forget the stores of a test: the next one has another database."""
    from apps.storage import places

    places.forget()


def new_bucket(settings: dict[str, str], *origins: str) -> str:
    """Make a bucket of a test's own there."""
    from django.conf import settings as configured

    name = f"test-{uuid4().hex}"
    client = client_of(settings)
    client.create_bucket(Bucket=name)
    rule: Any = {
        "AllowedOrigins": [configured.BITVAULT_BASE_URL, *origins],
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedHeaders": ["*"],
    }
    client.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule]})
    return name


def client_of(settings: dict[str, str]) -> Any:
    """Give a client for what tests do past the product."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=settings["endpoint_url"],
        region_name="us-east-1",
        aws_access_key_id=settings["access_key_id"],
        aws_secret_access_key=settings["secret_access_key"],
        config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
    )
