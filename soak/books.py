"""The reckoning: when everybody is quiet, all accounts of what happened must be one."""

import hashlib
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

import boto3
import psycopg
from botocore.config import Config

from soak import checks
from soak.clients import Ledger
from soak.places import FIELDS, Place
from soak.tally import Tally
from soak.vault import Vault

VERIFYING_SECONDS = 600.0
"""How long the verification of the audit log may take."""

TREE = """
WITH RECURSIVE tree AS (
    SELECT * FROM {schema}.files_node WHERE owner_user_id IS NOT NULL OR (is_team_folder AND trashed_at IS NULL)
    UNION ALL SELECT child.* FROM tree JOIN {schema}.files_node child ON child.parent_id = tree.id
)
SELECT id::text, parent_id::text, name, revision, CASE kind WHEN 0 THEN 'folder' ELSE 'file' END, version_id::text,
    CASE kind WHEN 1 THEN size_bytes END, CASE kind WHEN 1 THEN content_hash END
FROM tree
"""

LAGGING = "SELECT count(*) FROM events_consumer_cursor JOIN events_stream_head USING (tenant_id) WHERE seq < last_seq"

QUOTA = """
SELECT 'the quota says ' || used_bytes || ' used and ' || reserved_bytes || ' reserved, the versions ' || counted.bytes
FROM {schema}.billing_quota, (SELECT coalesce(sum(size_bytes), 0) AS bytes FROM {schema}.files_version) counted
WHERE scope = 'tenant' AND used_bytes <> counted.bytes
"""

CONTENTS = """
SELECT version.id::text, blob.key FROM {schema}.files_version version
LEFT JOIN {schema}.storage_blob blob ON blob.id = version.blob_id
"""


def audit(vault: Vault, places: Sequence[Place], ledger: Ledger, tally: Tally) -> None:
    """Wait until every lag is zero, and compare."""
    vault.await_that(lambda: _count(vault, LAGGING) == 0, "every lag comes to zero")
    with vault.database() as database:
        row = database.execute("SELECT id FROM identity_tenant WHERE slug = 'demo'").fetchone()
        assert row is not None
        tenant_id = row[0]
        for name, statement in {**checks.CHECKS, "quota": QUOTA}.items():
            tally.check(checks.violations(database, tenant_id, checks={name: statement}))
        _compare_trees(database, tenant_id, places, tally)
        _compare_contents(vault, database, tenant_id, ledger, tally)
        row = database.execute("SELECT last_seq FROM events_stream_head WHERE tenant_id = %s", [tenant_id]).fetchone()
        tally.facts["events"] = row[0] if row else 0
    verified = _verify_audit(places[0])
    tally.check([] if verified["intact"] else [f"the audit chain is broken: {verified}"])
    tally.facts["audit"] = f"{verified['entry_count']} entries"


def _verify_audit(place: Place) -> dict[str, Any]:
    """Ask for the verification of the audit log until it is done; a long one is a job's."""
    query: dict[str, str] = {}
    deadline = time.monotonic() + VERIFYING_SECONDS
    while True:
        answer = place.client.get("/audit/verify", **query)
        found: dict[str, Any] = answer.json()
        if answer.status_code != HTTPStatus.ACCEPTED:
            return found
        assert time.monotonic() < deadline, f"the audit log was not verified: {found}"
        query = {"job_id": found["id"]}
        time.sleep(0.5)


def _count(vault: Vault, statement: str) -> int:
    with vault.database() as database:
        row = database.execute(statement).fetchone()
    return int(row[0]) if row else 0


def _compare_trees(database: psycopg.Connection[Any], tenant_id: UUID, places: Sequence[Place], tally: Tally) -> None:
    rows = database.execute(TREE.format(schema=f"t_{tenant_id.hex}")).fetchall()
    names = ("parent_id", "name", "revision", "kind", "version_id", "size_bytes", "content_hash")
    assert names == FIELDS
    tree = {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
    tally.facts["tree"] = f"{len(tree)} nodes"
    for place in places:
        place.follow()
        wrong = [
            f"{place.name}: node {node_id} is {place.nodes.get(node_id)}, in the tree {tree.get(node_id)}"
            for node_id in tree.keys() | place.nodes.keys()
            if tree.get(node_id) != place.nodes.get(node_id)
        ]
        tally.check(wrong[: checks.SHOWN])


def _compare_contents(
    vault: Vault, database: psycopg.Connection[Any], tenant_id: UUID, ledger: Ledger, tally: Tally
) -> None:
    """Every acknowledged content is there, byte for byte, in the store."""
    environment = vault.stack.servers.environment()
    store = boto3.client(
        "s3",
        endpoint_url=environment["BITVAULT_S3_ENDPOINT_URL"],
        region_name=environment["BITVAULT_S3_REGION"],
        aws_access_key_id=environment["BITVAULT_S3_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["BITVAULT_S3_SECRET_ACCESS_KEY"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    keys = dict(database.execute(CONTENTS.format(schema=f"t_{tenant_id.hex}")).fetchall())
    missing = []
    kept = {
        version_id: content
        for version_id, (node_id, content) in ledger.contents.items()
        if node_id not in ledger.purged
    }
    for version_id, content in kept.items():
        key = keys.get(version_id)
        if key is None:
            missing.append(f"the acknowledged version {version_id} is gone")
            continue
        found = store.get_object(Bucket=environment["BITVAULT_S3_BUCKET"], Key=key)["Body"].read()
        if hashlib.sha256(found).digest() != hashlib.sha256(content).digest():
            missing.append(f"the bytes of version {version_id} are others")
    store.close()
    tally.facts["contents"] = f"{len(kept)} acknowledged, all read again"
    tally.check(missing)
