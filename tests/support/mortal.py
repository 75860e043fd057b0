"""Processes that serve one request, or run one task, and can be killed between any two steps of it.

A step is whatever leaves a mark outside the process or asks for one: a statement, a COMMIT (before it is sent, after it is durable), a
call to the object store (before, after), and the moment before the answer. Between two steps a death leaves the same traces wherever it
happens, so dying at each step is dying anywhere. The process dies by SIGKILL, with its connections open.

Run as a program, with the environment of a BitVault: reads one job as JSON from each line of standard input, forks a process for it, and
writes what became of it to standard output.
"""

import base64
import inspect
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bitvault.stack.layout import ROOT


@dataclass(frozen=True)
class Outcome:
    """What became of a job: the steps it took, and its answer unless it died."""

    steps: list[str]
    killed: bool
    status: int | None
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Mortal:
    """Runs jobs, each in a process of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._helper = subprocess.Popen(
            [sys.executable, "-m", "tests.support.mortal"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.kills = 0

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str,
        headers: dict[str, str] | None = None,
        die_at: int | None = None,
    ) -> Outcome:
        """Answer one REST request; dies at the step of the number ``die_at``, counted from 1."""
        content = "" if body is None else json.dumps(body)
        given = {"Authorization": f"Bearer {token}", **(headers or {})}
        job = {"kind": "request", "method": method, "path": f"/api/v1{path}", "body": content, "headers": given}
        return self._run(job, die_at)

    def task(self, name: str, tenant: str, *, later: timedelta, die_at: int | None = None) -> Outcome:
        """Run a Celery task for a tenant, as a worker does, with the clock set forward."""
        return self._run({"kind": "task", "name": name, "tenant": tenant, "later": later.total_seconds()}, die_at)

    def _run(self, job: dict[str, Any], die_at: int | None) -> Outcome:
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        self._helper.stdin.write(json.dumps({**job, "die_at": die_at}) + "\n")
        self._helper.stdin.flush()
        told = json.loads(self._helper.stdout.readline())
        outcome = Outcome(**{**told, "body": base64.b64decode(told["body"])})
        assert outcome.killed or "error" not in outcome.headers, outcome.headers["error"]
        self.kills += outcome.killed
        return outcome

    def close(self) -> None:
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        self._helper.stdin.close()
        self._helper.wait(timeout=10)
        self._helper.stdout.close()


# --- inside the helper ---------------------------------------------------------------------------------------------------------


class Steps:
    """Counts the steps of a job, tells each, and dies at one of them."""

    def __init__(self, die_at: int | None, pipe: int) -> None:
        self._die_at = die_at
        self._pipe = pipe
        self._count = 0

    def reach(self, name: str) -> None:
        self._count += 1
        self.tell({"step": name})
        if self._count == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def tell(self, what: dict[str, Any]) -> None:
        os.write(self._pipe, json.dumps(what).encode() + b"\n")


def _watch(steps: Steps) -> None:
    """Let the steps be counted that this process takes from here on."""
    from django.db import connection
    from django.db.backends.base.base import BaseDatabaseWrapper

    from apps.storage.provider import ObjectStore

    def around_statement(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        steps.reach(f"statement {' '.join(sql.split()[:3])}")
        if connection._company.after is None:
            return execute(sql, *rest)
        steps.reach("before COMMIT")
        answer = execute(sql, *rest)
        steps.reach("after COMMIT")
        return answer

    connection.execute_wrappers.append(around_statement)
    real_commit = BaseDatabaseWrapper._commit

    def commit(self: BaseDatabaseWrapper) -> None:
        if self._company.is_over:  # it has travelled with the last statement
            real_commit(self)
            return
        steps.reach("before COMMIT")
        real_commit(self)
        steps.reach("after COMMIT")

    BaseDatabaseWrapper._commit = commit

    for name, method in inspect.getmembers(ObjectStore, inspect.isfunction):
        if hasattr(method, "__wrapped__"):
            setattr(ObjectStore, name, _around_call(steps, name, method))


def _around_call(steps: Steps, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        steps.reach(f"before {name}")
        answer = method(*args, **kwargs)
        steps.reach(f"after {name}")
        return answer

    return call


def _serve(job: dict[str, Any], steps: Steps) -> dict[str, Any]:
    from bitvault.gateway.wsgi import application

    body = job["body"].encode()
    environ = {
        "REQUEST_METHOD": job["method"],
        "PATH_INFO": job["path"],
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in job["headers"].items()},
    }
    told: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        told.update(status=int(status.split(maxsplit=1)[0]), headers=dict(headers))

    content = b"".join(application(environ, start_response))
    steps.reach("before the answer")
    return {**told, "body": base64.b64encode(content).decode()}


def _work(job: dict[str, Any], steps: Steps) -> dict[str, Any]:
    from uuid import UUID

    from bitvault.gateway.celery import app
    from bitvault.kernel import clock
    from bitvault.kernel.tasks import for_tenant

    with clock.fixed_at(clock.now() + timedelta(seconds=job["later"])):
        done = app.tasks[job["name"]].apply(headers=for_tenant(UUID(job["tenant"])), throw=True).get()
    steps.reach("before the end")
    return {"status": 0, "headers": {}, "body": base64.b64encode(json.dumps(done).encode()).decode()}


def _live(job: dict[str, Any], pipe: int) -> None:
    """Be the process of one job; does not return."""
    code = 1
    try:
        steps = Steps(job["die_at"], pipe)
        _watch(steps)
        answer = (_serve if job["kind"] == "request" else _work)(job, steps)
        steps.tell({"answer": answer})
        code = 0
    except BaseException as error:
        os.write(pipe, json.dumps({"answer": {"headers": {"error": repr(error)}}}).encode() + b"\n")
        raise
    finally:
        os._exit(code)


def _account(lines: list[str]) -> dict[str, Any]:
    told = [json.loads(line) for line in lines]
    answers = [one["answer"] for one in told if "answer" in one]
    answer = {"status": None, "headers": {}, "body": "", **(answers[0] if answers else {})}
    return {"steps": [one["step"] for one in told if "step" in one], "killed": not answers, **answer}


def _load_everything() -> None:
    """Import, once and before the first fork, what a request or task would; connect to nothing."""
    import bitvault.gateway.wsgi  # noqa: F401 - the application with all its views
    from apps.storage import provider
    from bitvault.gateway.celery import app

    app.loader.import_default_modules()
    provider.store()


def main() -> None:
    _load_everything()
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _live(json.loads(line), writing)
        os.close(writing)
        with os.fdopen(reading) as told:
            lines = told.readlines()
        os.waitpid(child, 0)
        print(json.dumps(_account(lines)), flush=True)  # noqa: T201 - this is a program


if __name__ == "__main__":
    main()
