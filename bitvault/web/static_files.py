"""Static files whose scripts name each other by digest.

A file whose name holds a digest of its content is kept by browsers for good; any other is asked for again each minute.
"""

import re

from whitenoise.storage import CompressedManifestStaticFilesStorage

WAYS = ("from ", "import ", "new URL(")
"""How a script of ours leads to a module, or to a worker beside it. Types that are imported in comments are none of them."""


def _pattern_of(way: str) -> tuple[str, str]:
    # A pattern that begins with letters of one case is found in a megabyte at once.
    return rf"""(?P<matched>(?-i:{re.escape(way)})["'](?P<url>\.\.?/[^"'\n]+\.js(?:on)?)["'])""", f'{way}"%(url)s"'


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # whitenoise has no types
    """Django's storage with digests in names, and in what scripts import.

    Django's own ``support_js_module_import_aggregation`` follows types in comments as well: they lead back to where they began.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("*.js", tuple(_pattern_of(way) for way in WAYS)),
    )
    max_post_process_passes = 40  # one for each step of the longest chain of imports
    keep_intermediate_files = False
