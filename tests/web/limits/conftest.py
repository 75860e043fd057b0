"""Limits as an installation has them; the rest of the tests runs without."""

import secrets

import pytest

from bitvault.web.limits import fair_shares, policies
from bitvault.web.limits.cells import cells
from tests.support import stopping


def _begin_anew():
    policies.forget()
    fair_shares.forget()
    cells.clear()


@pytest.fixture
def set_limits(settings):
    """Switch limits on, the defaults but for the ones that are given: ``set_limits(read=(5, 60))``; shares only when asked for."""

    def switch(*, share_percent=0, in_flight=3, **changes):
        settings.BITVAULT_LIMITS = {name.replace("_", "-"): value for name, value in changes.items()}
        settings.BITVAULT_FAIR_SHARE_PERCENT = share_percent
        settings.BITVAULT_REQUESTS_IN_FLIGHT = in_flight
        # Cells in Valkey are named with it: no test meets another's.
        settings.SECRET_KEY = secrets.token_hex(16)
        _begin_anew()

    yield switch
    _begin_anew()


@pytest.fixture
def no_valkey(settings):
    """Lead to a port where nobody listens; afterwards, wait until the process has found out that Valkey is back."""
    with stopping.valkey_at("redis://127.0.0.1:1", settings):
        yield
