"""Which tests run in one process of a run by several (`--dist loadgroup`): those that share what is dear to make.

A file whose fixtures live as long as its module stays together, in its order: a vault with all its processes, a browser, a tree of fifty
thousand nodes is made once. So does a file that uses the object store, which all processes share. All other tests go to whoever is idle, one by one, and fill up the end of the run.
"""

import pytest

SHARED_SCOPES = ("module", "package")
STORES = {"use_store", "each_store"}


def keep_together(items: list[pytest.Item]) -> None:
    """Group the tests of each file that has something of its own to share."""
    shared = {item.path for item in items if shares(item)}
    for item in items:
        if item.path in shared:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


def shares(item: pytest.Item) -> bool:
    """Tell whether a test uses the object store, or a fixture that lives as long as its file."""
    if item.get_closest_marker("store") or STORES & set(item.fixturenames):
        return True
    known = item._fixtureinfo.name2fixturedefs
    return any(definition.scope in SHARED_SCOPES for name in known for definition in known[name][-1:])
