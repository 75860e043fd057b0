"""The REST surface keeps its own OpenAPI document, whatever it is asked: generated requests against the real application.

No answer is a 5xx, every refusal is a problem with a code, every answer has a status, a type and a shape that the document names, and what
the document forbids is refused. Half of the requests name things that are there, so that they get past the doors.
``BITVAULT_CONTRACT_EXAMPLES`` (for each operation) makes a longer run; ``BITVAULT_TEST_SEED`` another one.
"""

import json
import os
import random

import pytest
import schemathesis
from django.core import signals
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, seed, settings
from schemathesis import checks

from bitvault.events import cursors
from bitvault.gateway.openapi import build_document
from bitvault.gateway.wsgi import application
from tests.support.sending import Sender
from tests.support.world import ACME

EXAMPLES = int(os.environ.get("BITVAULT_CONTRACT_EXAMPLES", "12"))
SEED = int(os.environ.get("BITVAULT_TEST_SEED", "20260101"))
PATIENCE_MS = 20
"""The longest that the server waits here, whatever it is asked for: waiting for what does not come would be most of the run."""
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
]

pytestmark = pytest.mark.store


def on_one_connection(environ, start_response):
    """Serve a request without closing the connection of the test's transaction around it, as Django's own test client does."""
    ends = (signals.request_started, signals.request_finished)
    for end in ends:
        end.disconnect(close_old_connections)
    try:
        answer = application(environ, start_response)
        try:
            return [b"".join(answer)]
        finally:
            answer.close()
    finally:
        for end in ends:
            end.connect(close_old_connections)


schema = schemathesis.openapi.from_dict(json.loads(build_document()))
schema.app = on_one_connection
schema.config.update(base_url="http://127.0.0.1")
# A body with more items than a list may have can be refused by its size before it is read.
schema.config.checks.negative_data_rejection.expected_statuses.append("413")


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    """Let clients ask for any wait, and the server come to the end of its own soon."""
    monkeypatch.setattr(cursors, "WAIT_LIMIT_MS", PATIENCE_MS)


@pytest.fixture
def known(db, api):
    """Things that are there, by the name of the parameter or field that names them."""
    client = api("olga")
    root_id = client.get("/me").json()["root_id"]
    folder = client.post("/folders", {"parent_id": root_id, "name": "folder"}).json()["id"]
    sender = Sender(client, root_id)
    file = sender.bring("file.txt", b"content")
    trashed = client.post("/folders", {"parent_id": root_id, "name": "trashed"}).json()["id"]
    client.delete(f"/nodes/{trashed}")
    sent = sender.started("sent.bin", b"sent")
    sender.send(sent, b"sent")
    nodes = [root_id, folder, file["id"], trashed]
    return {
        "node_id": [*nodes, "root"],
        "parent_id": nodes,
        "upload_id": [sender.started("begun.bin", b"begun")["id"], sent["id"]],
        "version_id": [file["version_id"]],
        "base_version_id": [file["version_id"]],
        "path": ["/folder", "/file.txt"],
    }


@schema.parametrize()
@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_in_the_document(case, known):
    mended = put_known_things_in(case, known)
    wanted = [check for check in CHECKS if not mended or check is not checks.negative_data_rejection]
    headers = {"Authorization": f"Bearer {ACME.people['olga'].token}"}
    require_problem(case.call_and_validate(headers=headers, checks=wanted))


def put_known_things_in(case, known):
    """Let about half of the requests name things that are there; tells whether a value was replaced."""
    chance = random.Random(f"{case.body!r}{case.query!r}{case.path_parameters!r}")
    mended = False
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            for name in sorted(place.keys() & known.keys()):
                if chance.random() < 0.5:
                    place[name] = chance.choice(known[name])
                    mended = True
    return mended


def require_problem(response):
    if response.status_code < 400:
        return
    assert response.headers["content-type"] == ["application/problem+json"]
    problem = response.json()
    assert problem["status"] == response.status_code
    assert "." in problem["code"]
    assert problem["request_id"]
