"""What class a route is of.

A view says it by ``limit_class``: a class, or None for "by the method". The toolkit's own views say None; functions and views of Django's
say it with ``limited``. What says nothing counts by its method too, and a test finds it.
"""

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, TypeVar

from django.urls import URLPattern, URLResolver

from bitvault.web.limits.policies import RouteClass

H = TypeVar("H", bound=Callable[..., Any])

READING = frozenset({"GET", "HEAD", "OPTIONS"})

UNSAID = object()


def limited(limit_class: RouteClass | None = None) -> Callable[[H], H]:
    """Say what class a view is of; without one it is to read or to write by its method."""

    def mark(view: H) -> H:
        view.limit_class = limit_class  # type: ignore[attr-defined] # read by find_said
        return view

    return mark


def limit_all(patterns: Sequence[URLPattern | URLResolver], **by_name: RouteClass) -> None:
    """Say for all routes of a library that they are to read or to write, but for those that are named."""
    for entry in patterns:
        if isinstance(entry, URLResolver):
            limit_all(entry.url_patterns, **by_name)
        else:
            # A method of an object takes no attribute; a function around it does.
            entry.callback = limited(by_name.get(entry.name or ""))(wraps(entry.callback)(partial(entry.callback)))


def find_said(callback: Any) -> Any:
    """Find what a route's callback says: a class, None for "by the method", or ``UNSAID``."""
    said = getattr(callback, "limit_class", UNSAID)
    return said if said is not UNSAID else getattr(find_view(callback), "limit_class", UNSAID)


def find_view(callback: Any) -> Any:
    """Find the class behind a route's callback, or the function that it is."""
    return getattr(callback, "cls", getattr(callback, "view_class", callback))


def choose(said: Any, method: str | None) -> RouteClass:
    """Choose the class of a request. To look at the form of a sign-in is to read."""
    by_method = RouteClass.READ if method in READING else RouteClass.WRITE
    if not isinstance(said, RouteClass) or (said is RouteClass.SIGN_IN and by_method is RouteClass.READ):
        return by_method
    return said
