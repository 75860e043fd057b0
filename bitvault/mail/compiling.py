"""Compiling mails from MJML to HTML templates: when one is written, and never when a mail is sent.

The HTML stands beside its source and is committed, so an installation needs no compiler. Django's tags pass through it untouched.
"""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_HEAD = "{{# Compiled from {name} by `make mail`: change that file. #}}{{% load i18n %}}{{% get_current_language as language %}}"


def list_sources() -> list[Path]:
    """List the mails that are written in MJML, of all rooms."""
    return sorted(path for room in ("apps", "bitvault") for path in (ROOT / room).rglob("*.mjml"))


def target_of(source: Path) -> Path:
    """Name the template that a source is compiled to."""
    return source.with_suffix(".html")


def compile_source(source: Path) -> str:
    """Give the template that a source is compiled to.

    :raises ValueError: the source is no MJML.
    """
    # A package of development: installations send what was compiled.
    from mjml import mjml2html

    return f"{_HEAD.format(name=source.name)}{mjml2html(source.read_text(encoding='utf-8'))}\n"


def list_stale() -> Iterator[Path]:
    """Go through the sources whose template is not what they are compiled to."""
    for source in list_sources():
        target = target_of(source)
        if not target.exists() or target.read_text(encoding="utf-8") != compile_source(source):
            yield source
