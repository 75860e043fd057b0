"""DRF's content negotiation of the toolkit's views: each resource has one representation, whatever ``Accept`` says."""

from collections.abc import Sequence

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class OneRepresentation(DefaultContentNegotiation):
    """Chooses parsers by ``Content-Type``, as usual, and the view's only renderer."""

    def select_renderer(  # type: ignore[override] # the stubs know lists alone
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Take the first renderer."""
        return renderers[0], str(renderers[0].media_type)
