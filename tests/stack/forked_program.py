"""``python -m tests.stack.forked_program WHAT``: what ``test_forks`` has started or forked."""

import json
import os
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    facts = {
        "arguments": sys.argv[1:],
        "environment": dict(os.environ),
        "directory": str(Path.cwd()),
        "session": os.getsid(0),
        "pid": os.getpid(),
        # Loaded before this process began, or not at all.
        "loaded": "tests.stack.loaded" in sys.modules,
    }
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
    if sys.argv[1] == "parent" and os.fork() == 0:
        os.setsid()
        time.sleep(60)
    if sys.argv[1] in {"leave", "parent"}:
        sys.exit(7)
    if sys.argv[1] == "raise":
        raise RuntimeError("as it happens")
    time.sleep(60)
