"""The embedded store that tests do not stand on otherwise, for those that hold of every store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from bitvault.stack import buckets
from bitvault.stack.log_file import QuietOutput
from bitvault.stack.ports import free_ports
from bitvault.stack.process import ChildGroup
from bitvault.stack.secrets import ensure_secrets
from bitvault.stack.store_choice import STORES, asked_store, obtain_store
from bitvault.stack.stores import StoreKind, StoreOrigins
from tests.stack.processes import eventually

KIND = StoreKind.SEAWEEDFS
"""It comes as a Python package, and so can be had everywhere."""

READY_SECONDS = 60.0


def kind_of_tests() -> StoreKind:
    """Tell which store the tests stand on; it was obtained before the first of them."""
    return obtain_store(print, asked_store())


@contextmanager
def running(directory: Path, kind: StoreKind = KIND) -> Iterator[dict[str, str]]:
    """Run another store, and give the settings that lead to it."""
    secrets = ensure_secrets(directory / "secrets.json")
    store = STORES[kind](
        directory=directory / kind,
        ports=free_ports(STORES[kind].port_names),
        secrets=secrets,
        origins=StoreOrigins(bare=settings.BITVAULT_BASE_URL, tenants="http://*.localhost:1"),
    )
    group = ChildGroup(stack_directory=directory, output=QuietOutput(directory).of)
    try:
        group.launch(store.prepare())
        assert eventually(lambda: buckets.is_ready(store.access), seconds=READY_SECONDS), (
            "the second store does not come up"
        )
        buckets.prepare(store.access)
        yield {
            "endpoint_url": store.endpoint_url,
            "public_endpoint_url": store.endpoint_url,
            "download_endpoint_url": store.endpoint_url,
            "access_key_id": secrets.s3_access_key_id,
            "secret_access_key": secrets.s3_secret_access_key,
        }
    finally:
        group.stop()
        store.clean_up()
