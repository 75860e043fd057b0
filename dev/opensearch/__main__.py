"""``python -m dev.opensearch DIRECTORY``: one node there, until it is interrupted. Without a directory it says whether one can run here."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from dev.opensearch.assembling import ASSEMBLED, VERSION, NotHere, find_missing
from dev.opensearch.node import HEAP, Node


def main() -> int:
    """Run a node in the foreground."""
    parser = argparse.ArgumentParser(prog="dev.opensearch", description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?", help="takes program, data, settings and log")
    parser.add_argument("--port", type=int, default=0, help="where it answers on loopback; any free one by default")
    parser.add_argument("--heap", default=HEAP, help=f"memory of Java's ({HEAP})")
    asked = parser.parse_args()
    missing = None if ASSEMBLED.is_dir() else find_missing()
    if missing is not None:
        print(f"OpenSearch does not run here ({missing}): what needs it is left out.")
        return 0 if asked.directory is None else 1
    if asked.directory is None:
        return 0
    asked.directory.mkdir(parents=True, exist_ok=True)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with Node(asked.directory.resolve(), port=asked.port, heap=asked.heap) as node:
            print(f"OpenSearch {VERSION} answers. Stop it with Ctrl-C. For BitVault:", flush=True)
            print(f"BITVAULT_SEARCH_ENGINE=opensearch\nBITVAULT_OPENSEARCH_URL={node.url}", flush=True)
            ended.wait()
    except NotHere as reason:
        print(f"OpenSearch does not run here: {reason}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
