"""DRF's renderer classes of the toolkit's views."""

from collections.abc import Mapping
from typing import Any

import msgspec
from rest_framework.renderers import BaseRenderer

from bitvault.web.parsers import JSON


class StructRenderer(BaseRenderer):
    """Writes DTOs as JSON by msgspec; an answer without data has no body."""

    media_type = JSON
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Write the data."""
        return b"" if data is None else msgspec.json.encode(data)


class JsonLinesRenderer(BaseRenderer):
    """Sends lines of JSON that a door has written already."""

    media_type = "application/x-ndjson"
    format = "ndjson"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: bytes,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Send the lines as they are."""
        return data


class CsvRenderer(JsonLinesRenderer):
    """Sends lines of CSV (RFC 4180) that a door has written already."""

    media_type = "text/csv; charset=utf-8; header=present"
    format = "csv"


class PdfRenderer(JsonLinesRenderer):
    """Sends a PDF that a door has written already."""

    media_type = "application/pdf"
    format = "pdf"


class WebpRenderer(JsonLinesRenderer):
    """Sends a picture."""

    media_type = "image/webp"
    format = "webp"
