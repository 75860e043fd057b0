"""What stays of a tenant outside of its schema when it is deleted: its documents in OpenSearch."""

from uuid import UUID

from apps.search import outgoing
from bitvault.kernel.errors import ServiceDown


def forget_tenant(tenant_id: UUID) -> None:
    """Delete all documents of a tenant, its own indexes, and the alias by which it was searched; done again it changes nothing.

    :raises ServiceDown: OpenSearch does not answer, or has not deleted all yet.
    """
    if not outgoing.is_chosen():
        return
    # The client takes a while to load, which who uses PostgreSQL alone does not wait for.
    from apps.search.opensearch import client, indices

    with client.lent() as opensearch:
        left = indices.forget_tenant(opensearch, tenant_id)
    if left:
        raise ServiceDown(dependency=client.NAME, retry_after_seconds=client.RETRY_AFTER_SECONDS)
