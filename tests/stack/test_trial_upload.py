"""The last step of a start: a file that goes in, and the words for one that does not."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bitvault.stack.trial_upload import TrialFailed, TrialImpossible, try_upload

NODE, UPLOAD = "node", "upload"


class Vault:
    """Answers as BitVault and its store do, but for what a test changes: ``{(method, path): [(status, body), …]}``."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"
        self.asked = []
        part = {"state": "send", "method": "PUT", "url": f"{self.url}/store/key?signed=1", "headers": {"x-a": "b"}}
        api = "/api/v1"
        self.answers = {
            ("GET", f"{api}/me"): [(200, {"root_id": "root"})],
            ("POST", f"{api}/uploads"): [(201, {"id": UPLOAD, "parts": [part]})],
            ("PUT", "/store/key?signed=1"): [(200, {})],
            ("POST", f"{api}/uploads/{UPLOAD}/commit"): [(201, {"id": NODE})],
            ("DELETE", f"{api}/nodes/{NODE}"): [(204, None)],
            ("DELETE", f"{api}/trash/{NODE}"): [(204, None)],
        }

    def answer(self, method, path):
        self.asked.append((method, path))
        answers = self.answers[method, path]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def vault():
    with running() as vault:
        yield vault


@contextmanager
def running():
    class Handler(BaseHTTPRequestHandler):
        def relay(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, body = vault.answer(self.command, self.path)
            content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = relay  # noqa: N815 - the names that http.server calls

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        vault = Vault(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield vault
        finally:
            server.shutdown()
            thread.join()


def test_a_file_goes_all_the_way_and_is_deleted_for_ever(vault):
    try_upload(base_url=vault.url, token="t")
    assert vault.asked == list(vault.answers)


def test_a_commit_that_needs_longer_is_asked_for_again(vault):
    vault.answers["POST", f"/api/v1/uploads/{UPLOAD}/commit"].insert(0, (202, {"state": "completing"}))
    try_upload(base_url=vault.url, token="t")
    assert vault.asked.count(("POST", f"/api/v1/uploads/{UPLOAD}/commit")) == 2


@pytest.mark.parametrize(
    ("step", "status", "body", "words"),
    [
        (1, 507, {"title": "No room", "code": "storage.disk_full"}, ["not started", "507", "storage.disk_full"]),
        (2, 500, b"<Error><Code>InternalError</Code></Error>", ["store did not take the bytes", "InternalError"]),
        (3, 503, {"title": "The object store does not answer"}, ["not committed", "does not answer"]),
        (4, 500, b"", ["not deleted", "without a word"]),
        (5, 500, b"", ["not deleted for ever"]),
    ],
)
def test_the_step_that_fails_is_told_with_what_was_said(vault, step, status, body, words):
    vault.answers[list(vault.answers)[step]] = [(status, body)]
    with pytest.raises(TrialFailed) as told:
        try_upload(base_url=vault.url, token="t")
    for word in words:
        assert word in str(told.value)


def test_a_store_that_is_away_is_told_with_its_address(vault):
    _, upload = vault.answers["POST", "/api/v1/uploads"][0]
    upload["parts"][0]["url"] = "http://127.0.0.1:1/key"
    with pytest.raises(TrialFailed, match=r"127\.0\.0\.1:1 does not answer"):
        try_upload(base_url=vault.url, token="t")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_token_that_is_no_longer_good_is_no_fault_of_uploads(vault, status):
    vault.answers["GET", "/api/v1/me"] = [(status, {"title": "no"})]
    with pytest.raises(TrialImpossible):
        try_upload(base_url=vault.url, token="t")
