"""Colours of a tenant: which can be read by everybody, and what pages are drawn in with them.

Contrast is that of WCAG 2.2 (relative luminance): 4.5 between a text and what it stands on. A colour is told as ``#rrggbb``.
"""

import re
from functools import lru_cache

from apps.identity.dtos import Colours
from apps.identity.errors import ColourUnfit

NEEDED = 4.5
"""WCAG 2.2, 1.4.3 (AA)."""

GROUND = {"light": "#f5f4f0", "dark": "#1e2322"}
"""What is hardest to be read on in each kind of page (``css/tokens.css``: the ground, and what is raised)."""

_WHITE, _BLACK = "#ffffff", "#0b0f0e"
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_STEPS = 64
_LINEAR = 0.04045


def read(light: str, dark: str | None) -> Colours:
    """Read the colours that somebody has chosen; without a dark one it is the light one, as much lighter as it has to be.

    :raises ColourUnfit: one of them is no colour, or cannot be read.
    """
    chosen = _require(light, "light")
    return Colours(
        light=chosen, dark=_reach(chosen, GROUND["dark"], _WHITE) if dark is None else _require(dark, "dark")
    )


def choose_ink(colour: str) -> str:
    """Choose what can be read better on a colour, white or nearly black."""
    return max((_WHITE, _BLACK), key=lambda ink: contrast(ink, colour))


def contrast(one: str, other: str) -> float:
    """Compute the contrast of two colours, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@lru_cache(maxsize=256)
def to_stylesheet(light: str, dark: str) -> str:
    """Write the variables of ``css/tokens.css`` that are drawn from the two colours, whatever they are: what cannot be read is moved.

    :raises ColourUnfit: one is no colour.
    """
    day, night = _tints(_read(light, "light"), "light"), _tints(_read(dark, "dark"), "dark")
    lines = "".join(f"--{name}:light-dark({day[name]},{night[name]});" for name in day)
    return f":root{{{lines}}}"


def _tints(colour: str, scheme: str) -> dict[str, str]:
    is_light = scheme == "light"
    surface = _WHITE if is_light else "#161a19"
    away, fill = (_BLACK, 0.1) if is_light else (_WHITE, 0.2)
    accent = _reach(colour, GROUND[scheme], away)
    soft, hover = _mix(surface, accent, fill), _mix(surface, accent, fill + 0.06)
    # On the ground of something that is chosen and pointed at it is hardest to be read.
    text = _reach(accent, hover, away)
    inverse = "#1e2322" if is_light else "#edf0ee"
    return {
        "accent": accent,
        "accent-hover": _mix(accent, away, 0.2),
        "accent-ink": choose_ink(accent),
        "accent-text": text,
        "accent-soft": soft,
        "selected": soft,
        "selected-hover": hover,
        "inverse-accent": _reach(accent, inverse, _WHITE if is_light else _BLACK),
        "type-folder": accent,
    }


def _read(text: str, field: str) -> str:
    colour = text.lower()
    if not _COLOUR.fullmatch(colour):
        raise ColourUnfit("Write the color as # and six digits or letters from a to f.", field=field)
    return colour


def _require(text: str, field: str) -> str:
    colour, ground = _read(text, field), GROUND[field]
    reached = contrast(colour, ground)
    if reached >= NEEDED:
        return colour
    suggestion = _reach(colour, ground, _BLACK if field == "light" else _WHITE)
    sentences = {
        "light": f"This color is too pale to be read on light pages. A darker one can be, for example {suggestion}.",
        "dark": f"This color is too dark to be read on dark pages. A lighter one can be, for example {suggestion}.",
    }
    raise ColourUnfit(
        sentences[field], field=field, contrast=int(reached * 10) / 10, needed=NEEDED, suggestion=suggestion
    )


def _reach(colour: str, ground: str, towards: str) -> str:
    """Move a colour as little as needed until it can be read on a ground."""
    for step in range(_STEPS + 1):
        moved = _mix(colour, towards, step / _STEPS)
        if contrast(moved, ground) >= NEEDED:
            return moved
    return towards


def _mix(one: str, other: str, share: float) -> str:
    """Mix two colours; ``share`` is how much of the other one there is."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (
        value / 12.92 if value <= _LINEAR else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in _channels(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
