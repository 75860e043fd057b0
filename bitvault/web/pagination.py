"""DRF's pagination class of the toolkit's views: pages by cursor, which doors cut (``kernel.pages``)."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

from bitvault.kernel.pages import PAGE_DEFAULT, PAGE_LIMIT, Page
from bitvault.web.structs import Query


class PageQuery(Query, frozen=True):
    """Which part of a list; queries that filter as well have the same two fields."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_LIMIT)] = PAGE_DEFAULT
    cursor: str | None = None


class KeysetPagination(BasePagination):
    """Reads ``limit`` and ``cursor``; answers with ``items`` and ``next_cursor``."""

    def paginate_queryset(  # type: ignore[override] # a door stands where DRF has a queryset
        self, queryset: Callable[..., Page[Any]], request: Any, view: Any = None
    ) -> Page[Any]:
        """Call a door of the form ``list_x(*, limit, cursor)`` for the page that the request asks for."""
        wanted = request.query_as(view.operation.query)
        return queryset(limit=wanted.limit, cursor=wanted.cursor)

    def get_paginated_response(self, data: Page[Any]) -> Response:
        """Answer with the page as it is."""
        return Response(data)
