"""The command line of the stack: ``python -m bitvault.stack up``, ``down``, ``reset``, ``manage``, ``store`` and ``services``."""

import argparse
import errno
import os
import signal
import sys
from pathlib import Path

from bitvault.stack import down, up
from bitvault.stack.errors import NO_ROOM, StackError
from bitvault.stack.layout import ROOT
from bitvault.stack.manage import manage
from bitvault.stack.store_choice import asked_store, obtain_store
from bitvault.stack.supervisor import StopAsked, stopping_by_signal
from bitvault.stack.throwaway import ThrowawayServices

KEPT = ROOT / "var"


def main() -> int:
    """Run the command asked for; what its owner can put right is said in a sentence, without a traceback."""
    asked = _arguments()
    # Whatever a stack writes is its owner's alone.
    os.umask(0o077)
    try:
        _run(asked)
    except StackError as problem:
        return _refuse(str(problem))
    except OSError as problem:
        if problem.errno in NO_ROOM:
            return _refuse(f"The disk under {asked.dir} is full: make room and start again.")
        if isinstance(problem, PermissionError):
            return _refuse(f"{problem.filename} may not be written or read by this user: start as its owner.")
        if problem.errno == errno.EROFS:
            return _refuse(f"{problem.filename} lies on a disk that is mounted read-only: mount it for writing.")
        if problem.filename is not None and Path(os.fsdecode(problem.filename)).is_relative_to(asked.dir):
            return _refuse(f"{problem.filename} cannot be used: {problem.strerror}.")
        raise
    return 0


def _run(asked: argparse.Namespace) -> None:
    match asked.command:
        case "up":
            up.run(asked.dir)
        case "down":
            down.down(asked.dir)
        case "reset":
            down.reset(asked.dir, agreed=asked.yes)
        case "manage":
            manage(asked.dir, asked.arguments)
        case "services":
            run_services(asked.dir)
        case "store":
            obtain_store(print_now, asked_store())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bitvault.stack", description="BitVault on one machine.")
    commands = parser.add_subparsers(required=True, dest="command")
    for name, meaning in (
        ("up", "start everything and keep it running"),
        ("down", "end everything that runs from the directory"),
        ("reset", "delete everything that is kept in the directory"),
        ("manage", "run one of manage.py's commands on the BitVault that runs from the directory"),
    ):
        command = commands.add_parser(name, help=meaning)
        command.add_argument("--dir", type=_absolute, default=KEPT, help="where the data are kept (default: var/)")
        if name == "reset":
            command.add_argument("--yes", action="store_true", help="delete without asking")
        if name == "manage":
            command.add_argument("arguments", nargs=argparse.REMAINDER, help="the command with its arguments")
    obtaining = commands.add_parser("store", help="make sure that the program of the object store is there")
    obtaining.set_defaults(dir=Path(sys.prefix))
    services = commands.add_parser("services", help="run throw-away servers for development and tests")
    services.add_argument("--dir", type=_absolute, required=True, help="a directory of its own; env.json goes there")
    services.add_argument("--throwaway", action="store_true", required=True, help="agree that the data may be lost")
    return parser.parse_args()


def print_now(message: str) -> None:
    """Show a line at once, also where the output is a file."""
    print(message, flush=True)


def _absolute(given: str) -> Path:
    return Path(given).resolve()


def run_services(directory: Path) -> None:
    """Run throw-away servers until a signal comes."""
    services = ThrowawayServices(directory)
    with stopping_by_signal():
        try:
            with services:
                print(f"Ready. The variables are in {services.environment_file}; Ctrl-C stops the servers.", flush=True)
                signal.pause()
        except StopAsked:
            return


def _refuse(sentence: str) -> int:
    print(f"bitvault: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
