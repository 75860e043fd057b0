"""Path converters of the REST surface."""

from typing import Literal
from uuid import UUID

from django.urls import register_converter


class NodeRef:
    """A node in a path: its id, or ``root`` for the caller's own root folder."""

    regex = r"root|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

    def to_python(self, value: str) -> UUID | Literal["root"]:
        """Read what stands in the path."""
        return "root" if value == "root" else UUID(value)

    def to_url(self, value: object) -> str:
        """Write it into a path."""
        return str(value)


register_converter(NodeRef, "node_ref")
