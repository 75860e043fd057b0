"""Which tests of a run by several processes stay together."""

import pytest

from tests.support import distribution


@pytest.fixture(scope="module")
def dear():
    return object()


def test_a_file_that_shares_something_stays_together_and_other_tests_go_anywhere(request, dear):
    group = request.node.get_closest_marker("xdist_group")
    assert group.args == (str(request.node.path),)


def test_what_shares_nothing_is_not_grouped(pytestconfig, request):
    items = [item for item in request.session.items if "test_databases" in item.nodeid]
    assert all(item.get_closest_marker("xdist_group") is None for item in items)
    assert not distribution.shares(request.node)
