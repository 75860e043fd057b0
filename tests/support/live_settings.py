"""The settings of `make up`, for the processes that tests start: static files lie in a place of the tests' own."""

import os

from bitvault.settings.local import *  # noqa: F403 - settings build on one another

STATIC_ROOT = os.environ["BITVAULT_TEST_STATIC_ROOT"]
