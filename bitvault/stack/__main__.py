"""The command line of the stack: ``python -m bitvault.stack services``."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from bitvault.stack.errors import StackError
from bitvault.stack.throwaway import ThrowawayServices


def main() -> int:
    """Run the command asked for; what its owner can put right is said in one sentence."""
    parser = argparse.ArgumentParser(prog="python -m bitvault.stack", description=__doc__)
    commands = parser.add_subparsers(required=True, dest="command")
    services = commands.add_parser(
        "services", help="run throw-away servers in the foreground, for development and tests"
    )
    services.add_argument("--dir", type=Path, required=True, help="a directory of its own; env.json is written there")
    services.add_argument("--throwaway", action="store_true", required=True, help="agree that the data may be lost")
    asked = parser.parse_args()
    try:
        return run_services(asked.dir.resolve())
    except StackError as problem:
        print(f"bitvault: {problem}", file=sys.stderr)
        return 1


def run_services(directory: Path) -> int:
    """Run throw-away servers until a signal comes."""
    signal.signal(signal.SIGTERM, _interrupt)
    services = ThrowawayServices(directory)
    try:
        with services:
            print(f"Ready. The variables are in {services.environment_file}; Ctrl-C stops the servers.", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return 0
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
