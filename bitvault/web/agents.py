"""What people call a browser, by what it says of itself in ``User-Agent``."""

import re

from django.utils.translation import gettext

_BROWSERS = (
    (re.compile(r"Edg(?:e|A|iOS)?/"), "Edge"),
    (re.compile(r"OPR/|Opera"), "Opera"),
    (re.compile(r"Firefox/|FxiOS/"), "Firefox"),
    (re.compile(r"Chrom(?:e|ium)/|CriOS/"), "Chrome"),
    (re.compile(r"Safari/"), "Safari"),
)
_SYSTEMS = (
    (re.compile(r"iPhone|iPad"), "iOS"),
    (re.compile(r"Android"), "Android"),
    (re.compile(r"Windows"), "Windows"),
    (re.compile(r"Mac OS X|Macintosh"), "macOS"),
    (re.compile(r"CrOS"), "ChromeOS"),
    (re.compile(r"Linux|X11"), "Linux"),
)


def name_browser(agent: str) -> str:
    """Name a browser in the current language: "Firefox on Windows"."""
    browser, system = _find(_BROWSERS, agent), _find(_SYSTEMS, agent)
    if browser and system:
        return gettext("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or agent or gettext("Unknown browser")


def is_phone(agent: str) -> bool:
    """Tell whether it is the browser of a phone or tablet."""
    return _find(_SYSTEMS, agent) in ("iOS", "Android")


def _find(patterns: tuple[tuple[re.Pattern[str], str], ...], agent: str) -> str:
    return next((name for pattern, name in patterns if pattern.search(agent)), "")
