"""``python3 -m bitvault_verify``."""

import sys

from bitvault_verify.command import main

sys.exit(main())
