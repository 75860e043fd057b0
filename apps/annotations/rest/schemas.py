"""What requests to annotations may say."""

from bitvault.web.structs import Query


class WhichNodes(Query, frozen=True):
    """Of which nodes (ids, parted by commas; a hundred at most)."""

    node_ids: str
