"""Which store an installation gets: the one that it has, else the one that its owner asks for, else the best that can be had here."""

import os
from collections.abc import Mapping

from bitvault.stack.errors import StackError
from bitvault.stack.layout import Layout
from bitvault.stack.seaweedfs import SeaweedFS
from bitvault.stack.stores import EmbeddedStore, StoreKind
from bitvault.stack.versitygw import Versitygw
from bitvault.stack.versitygw_build import BuildFailed, Say, build
from bitvault.stack.versitygw_program import find_program

VARIABLE = "BITVAULT_STACK_STORE"
STORES: Mapping[StoreKind, type[EmbeddedStore]] = {kind.kind: kind for kind in (Versitygw, SeaweedFS)}


def ensure_store(layout: Layout, say: Say) -> StoreKind:
    """Tell which store keeps, or will keep, the files of an installation; its program is there afterwards.

    :raises StackError: the program cannot be had, or the variable names no store.
    """
    kept, asked = layout.read_store(), asked_store()
    if kept is None:
        kind = obtain_store(say, asked)
        layout.note_store(kind)
        return kind
    if asked is not None and asked is not kept:
        say(f"{VARIABLE}={asked} counts for a new {layout.directory.name}/ only: the files here are kept by {kept}")
    return obtain_store(say, kept)


def obtain_store(say: Say, asked: StoreKind | None = None) -> StoreKind:
    """Make sure that the program of the store that is asked for is there; without a wish, of the best that can be had here.

    :raises StackError: the one that is asked for cannot be had.
    """
    if asked is StoreKind.SEAWEEDFS or find_program() is not None:
        return asked or StoreKind.VERSITYGW
    try:
        build(say)
    except BuildFailed as reason:
        if asked is None:
            say(f"versitygw cannot be built here ({reason}): SeaweedFS takes its place")
            return StoreKind.SEAWEEDFS
        raise StackError(
            f"The object store, versitygw, cannot be built here ({reason}): put it on the PATH, or try again with a connection."
        ) from reason
    return StoreKind.VERSITYGW


def asked_store() -> StoreKind | None:
    """Read which store the owner asks for.

    :raises StackError: there is no such store.
    """
    given = os.environ.get(VARIABLE, "")
    if not given:
        return None
    try:
        return StoreKind(given)
    except ValueError:
        raise StackError(f"{VARIABLE} is '{given}': give {' or '.join(StoreKind)}, or nothing.") from None
