"""Which files a tenant lets in, by the extension of their names and by their size: one rule, asked where an upload or a name is judged.

Identity keeps it among the tenant's policies, Files obeys it; neither has to know the other to do so.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from django.conf import settings
from django.utils.module_loading import import_string

from bitvault.kernel import names

FileTypes = Literal["all", "except", "only"]
"""Which extensions may come in: all, all but those that are named, or those alone."""

NO_EXTENSION = "."
"""Stands among extensions for names that have none."""

_EXTENSION = re.compile(r"(?:\.[^\s./\\:*?\"<>|,;]{1,16}){1,2}")


@dataclass(frozen=True, slots=True)
class FileRules:
    """What a tenant lets in. ``extensions`` are as ``read_extension`` gives them."""

    types: FileTypes = "all"
    extensions: tuple[str, ...] = ()
    largest_bytes: int | None = None
    """The largest file; a plan may allow less."""

    @property
    def refuses_something(self) -> bool:
        """Whether any file is kept out by them."""
        return self.largest_bytes is not None or (self.types != "all" and bool(self.extensions))

    def find_refused(self, name: str) -> str | None:
        """Find the extension for which a file of this name is refused; empty: it has none, and that is why. ``None``: it is not refused.

        A name has an extension when it ends with it, so ``photo.jpg.exe`` is an ``.exe``, and ``.tar.gz`` is a ``.gz``, too.
        """
        if self.types == "all":
            return None
        plain = names.simplify(name)
        # A name ends with no dot by now, so the one that stands for none is no end of it. One look at all of them is most of what 20,000
        # names cost that are judged at once.
        is_named = plain.endswith(self.extensions)
        if self.types == "only":
            if is_named:
                return None
            own = names.split_extension(plain)[1]
            return None if not own and NO_EXTENSION in self.extensions else own
        if is_named:
            return max((each for each in self.extensions if plain.endswith(each)), key=len)
        return "" if NO_EXTENSION in self.extensions and not names.split_extension(plain)[1] else None


@dataclass(frozen=True, slots=True)
class Admitted:
    """What several rules together let in: ``allowed`` alone (``None``: everything), but for ``refused``."""

    allowed: tuple[str, ...] | None = None
    refused: tuple[str, ...] = ()
    largest_bytes: int | None = None


EVERYTHING = Admitted()
"""Where no rule is."""


def combine(rules: Iterable[FileRules]) -> Admitted:
    """Tell what rules let in that all hold: an extension that one of them refuses is refused, and the smallest limit counts."""
    allowed: tuple[str, ...] | None = None
    refused: tuple[str, ...] = ()
    largest: int | None = None
    for each in rules:
        if each.types == "only":
            allowed = each.extensions if allowed is None else _list_common(allowed, each.extensions)
        elif each.types == "except":
            refused += each.extensions
        if each.largest_bytes is not None:
            largest = each.largest_bytes if largest is None else min(largest, each.largest_bytes)
    if allowed is not None:
        left = tuple(one for one in allowed if not any(_is_within(one, other) for other in refused))
        refused = tuple(one for one in refused if any(_is_within(one, other) for other in left))
        allowed = left
    return Admitted(allowed, tuple(dict.fromkeys(refused)), largest)


def _list_common(some: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """List what both let in: of ``.gz`` and ``.tar.gz`` the longer."""
    within = [one for one in some if any(_is_within(one, other) for other in others)]
    within += [other for other in others if any(_is_within(other, one) for one in some)]
    return tuple(dict.fromkeys(within))


def _is_within(extension: str, other: str) -> bool:
    """Tell whether each name with the one extension has the other."""
    return extension == other or (NO_EXTENSION not in (extension, other) and extension.endswith(other))


def read_extension(text: str) -> str | None:
    """Read an extension as somebody writes it (``exe``, ``*.EXE``); ``None``: it is none."""
    bare = text.strip().removeprefix("*")
    if bare == NO_EXTENSION:
        return NO_EXTENSION
    extension = "." + names.simplify(bare).removeprefix(".")
    return extension if _EXTENSION.fullmatch(extension) else None


def current() -> FileRules:
    """Give the rules of the entered tenant, at most 0.8 s old. Ask before a transaction of the tenant begins."""
    return _finder()()


@cache
def _finder() -> Callable[[], FileRules]:
    found: Callable[[], FileRules] = import_string(settings.BITVAULT_FILE_RULES_FINDER)
    return found
