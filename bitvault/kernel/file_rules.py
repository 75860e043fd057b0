"""Which files a tenant lets in, by the extension of their names and by their size: one rule, asked where an upload or a name is judged.

Identity keeps it among the tenant's policies, Files obeys it; neither has to know the other to do so.
"""

import re
from collections.abc import Callable
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

    def find_refused(self, name: str) -> str | None:
        """Find the extension for which a file of this name is refused; empty: it has none, and that is why. ``None``: it is not refused.

        A name has an extension when it ends with it, so ``photo.jpg.exe`` is an ``.exe``, and ``.tar.gz`` is a ``.gz``, too.
        """
        if self.types == "all":
            return None
        plain = names.simplify(name)
        own = names.split_extension(plain)[1]
        named = [each for each in self.extensions if (plain.endswith(each) if each != NO_EXTENSION else not own)]
        if self.types == "only":
            return None if named else own
        return max(named, key=len).removesuffix(NO_EXTENSION) if named else None


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
