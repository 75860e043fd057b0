"""Where versitygw's program is: on the ``PATH``, or built into the virtual environment."""

import functools
import mmap
import re
import shutil
import sys
from pathlib import Path

MODULE = "github.com/versity/versitygw"
VERSION = "v1.8.0"

# What Go's checksum database says of this version: the hash of all files of the module.
MODULE_HASH = "h1:au+wI+aybno/STsQiSm35Uu6Q6iK5MWReQxgO6SEMFc="

# Another major version may answer otherwise; an older one lacks what the stack starts it with.
LEAST_VERSION, FIRST_UNKNOWN_VERSION = (1, 8), (2, 0)

# Go writes into each program of which modules, and of which version of each, it is made.
BUILD_NOTE = re.compile(rb"\nmod\t" + re.escape(MODULE.encode()) + rb"\t(\S+)\t?(h1:\S+)?")

# What the project's own releases are given instead.
RELEASE_NOTE = re.compile(rb"main\.Version=v?(\d+\.\d+\.\d+)")


def built_program() -> Path:
    """Name the place of the program that was built here; the version is in its name, so that another one is built anew."""
    return Path(sys.prefix) / "bin" / f"versitygw-{VERSION}"


def find_program() -> Path | None:
    """Find the program: of a known version on the ``PATH``, else the one that was built here."""
    on_path = shutil.which("versitygw")
    if on_path is not None and is_known(Path(on_path)):
        return Path(on_path).resolve()
    built = built_program()
    return built if built.exists() else None


def is_known(program: Path) -> bool:
    """Tell whether a program is a versitygw of a version that the stack knows how to start."""
    noted = version_of(program)
    return noted is not None and LEAST_VERSION <= noted < FIRST_UNKNOWN_VERSION


@functools.cache
def version_of(program: Path) -> tuple[int, ...] | None:
    """Read the version of a program out of its file; none where it tells none."""
    for note in (BUILD_NOTE, RELEASE_NOTE):
        found = _search(program, note)
        version = re.match(rb"v?(\d+)\.(\d+)\.(\d+)", found[1]) if found else None
        if version is not None:
            return tuple(int(number) for number in version.groups())
    return None


def is_ours(program: Path) -> bool:
    """Tell whether a program was made of exactly the module that this BitVault was tested with."""
    found = _search(program, BUILD_NOTE)
    return found is not None and (found[1], found[2]) == (VERSION.encode(), MODULE_HASH.encode())


def _search(program: Path, note: re.Pattern[bytes]) -> re.Match[bytes] | None:
    with program.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found = note.search(content)
        # Copied out of the map, which is closed at the end.
        return None if found is None else note.match(bytes(found[0]))
