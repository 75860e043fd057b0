"""The process that loads BitVault's code once and becomes, by forking, each process that runs it: ``python -m bitvault.stack.preloaded``.

A process of BitVault's takes 100 MiB by itself, nearly all of it code and data that are the same in each. Forked from one that has loaded
them, each has only the pages that it writes to. The supervisor asks for a process over a socket (``forks``), and is its parent.
"""

import ctypes
import gc
import importlib
import json
import os
import runpy
import socket
import sys
import time
from typing import Any

from setproctitle import setproctitle

from bitvault.kernel.child import PR_SET_PDEATHSIG
from bitvault.stack.memory import fill_holes, give_back

MESSAGE_BYTES = 64 * 1024
ADOPTED_SECONDS = 5.0


def main() -> None:
    """Load the modules that are named, and fork whenever the supervisor asks, until it closes the socket."""
    descriptor, *modules = sys.argv[1].split(",")
    requests = socket.socket(fileno=int(descriptor))
    # The first title finds the room for all of them, beside an environment that is still what the process began with.
    setproctitle(f"{sys.executable} -m bitvault.stack.preloaded")
    # What the collector never looks at is never written to: pages stay shared.
    gc.disable()
    for name in modules:
        importlib.import_module(name)
    give_back()
    fill_holes()
    gc.freeze()
    requests.send(b"ready")
    while True:
        message, descriptors, _, _ = socket.recv_fds(requests, MESSAGE_BYTES, 1)
        if not message:
            return
        between = os.fork()
        if between == 0:
            # A child of a child, which the kernel gives to the supervisor as soon as the one between has ended.
            if os.fork() == 0:
                become(json.loads(message), requests, descriptors[0])
            os._exit(0)
        os.close(descriptors[0])
        os.waitpid(between, 0)


def become(asked: dict[str, Any], requests: socket.socket, output: int) -> None:
    """Turn this fork into the program that is asked for."""
    os.setsid()
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    deadline = time.monotonic() + ADOPTED_SECONDS
    while os.getppid() != asked["parent"]:
        if time.monotonic() > deadline:
            os._exit(1)
        time.sleep(0.001)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, asked["death_signal"], 0, 0, 0)
    if os.getppid() != asked["parent"]:
        os._exit(1)
    os.chdir(asked["directory"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    requests.send(str(os.getpid()).encode())
    requests.close()
    gc.enable()
    module, *arguments = asked["arguments"]
    setproctitle(" ".join([sys.executable, "-m", module, *arguments]))
    sys.argv = [module, *arguments]
    sys.orig_argv = [sys.executable, "-m", module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    sys.exit(0)


if __name__ == "__main__":
    main()
