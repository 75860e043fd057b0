"""DRF's parser class of the toolkit's views: JSON by msgspec."""

from collections.abc import Mapping
from typing import Any

from rest_framework.parsers import BaseParser

from bitvault.web.structs import read_json

JSON = "application/json"


class StructParser(BaseParser):
    """Reads a body as the struct that the view asks for (``ActorRequest.body_as``)."""

    media_type = JSON

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """Read the whole body; Django keeps it, since an ``Idempotency-Key`` is compared with it."""
        context = parser_context or {}
        return read_json(context["request"].body or b"{}", context.get("body_type", Any))
