"""The embedded stack on one machine: development and small installations. ``make up`` sets the environment."""

from bitvault.settings.base import *

DEBUG = False
BITVAULT_STRICT_BOUNDARIES = True
