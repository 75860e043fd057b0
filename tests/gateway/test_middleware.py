"""What happens to every request: an id, a surface by host, a bound for the body, a line in the log."""

import json

import pytest
from django.test import Client
from prometheus_client import REGISTRY

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def ask(client: Client, path: str = "/healthz", host: str = "127.0.0.1", method: str = "GET", **headers):
    return client.generic(method, path, headers={"host": host, **headers})


# --- hosts -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:8000", "localhost", "localhost:8000", "LOCALHOST", "localhost."],
)
def test_plain_addresses_and_the_bare_host_offer_sign_in_across_tenants(client, host):
    assert ask(client, "/", host)["Location"] == "/vaults/"


@pytest.mark.parametrize("host", ["acme.localhost", "acme.localhost:8000", "ACME.localhost", "acme.localhost."])
def test_a_tenants_host_offers_its_files(client, host):
    assert ask(client, "/", host)["Location"] == "/files/"


@pytest.mark.parametrize("host", ["admin.localhost", "Admin.Localhost:8000"])
def test_the_operators_host_offers_administration_and_no_vault(client, host):
    assert ask(client, "/", host)["Location"] == "/admin/"
    assert ask(client, "/api/v1/me", host).status_code == 404


@pytest.mark.parametrize("host", ["127.0.0.1", "acme.localhost"])
def test_administration_is_on_no_other_host(client, host):
    assert ask(client, "/admin/", host).status_code == 404


@pytest.mark.parametrize(
    "host",
    [
        "nobody.localhost",
        "acme.acme.localhost",
        "evil.example",
        "acme.localhost.evil.example",
        "acme.localhost@evil.example",
        "acme.localhost, beta.localhost",
        "127.0.0.2",
        "[::2]",
        "",
        "a" * 300,
        "acme_localhost",
        "t_template.localhost",
    ],
)
@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/me"])
def test_any_other_host_is_nowhere(client, host, path):
    response = ask(client, path, host)
    assert (response.status_code, json.loads(response.content)["code"]) == (404, "access.not_found")


def test_what_a_proxy_is_said_to_have_seen_chooses_no_tenant(client):
    headers = {"x-forwarded-host": "acme.localhost", "forwarded": "host=acme.localhost", "x-host": "acme.localhost"}
    assert ask(client, "/", "127.0.0.1", **headers)["Location"] == "/vaults/"


# --- ids and figures -------------------------------------------------------------------------------------------------------


def test_a_request_keeps_the_id_that_it_came_with(client):
    assert ask(client, **{"x-request-id": "client-4711.a"})["X-Request-ID"] == "client-4711.a"


@pytest.mark.parametrize(
    "given", ["", "short", "x" * 65, "with space in it", "<script>alert</script>", "naïve-identity"]
)
def test_an_id_that_cannot_stand_in_a_log_is_replaced(client, given):
    answered = ask(client, **{"x-request-id": given})["X-Request-ID"]
    assert answered != given
    assert len(answered) == 36


def test_each_request_has_an_id_of_its_own(client):
    assert len({ask(client)["X-Request-ID"] for _ in range(10)}) == 10


def test_a_read_has_no_number_and_nothing_of_the_request_before(client, api):
    mia = api("mia")
    root = mia.get("/me").json()["root_id"]
    made = mia.post("/folders", {"parent_id": root, "name": "Reports"})
    assert int(made["BitVault-Seq"]) > 0
    assert not mia.get("/me").has_header("BitVault-Seq")


def test_an_invented_method_makes_no_figure_of_its_own(client):
    for method in ("BREW", "X" * 500):
        assert ask(client, method=method).status_code == 405
    methods = {
        sample.labels["method"]
        for metric in REGISTRY.collect()
        if metric.name == "bitvault_requests"
        for sample in metric.samples
    }
    assert {"BREW", "X" * 500} & methods == set()
    assert "other" in methods


# --- bodies ----------------------------------------------------------------------------------------------------------------


def test_a_body_without_a_length_is_refused_and_not_lost(client):
    """WSGI gives Django no more of a body than its length says: chunks would read as no body."""
    response = ask(client, "/api/v1/folders", method="POST", **{"transfer-encoding": "chunked"})
    assert (response.status_code, json.loads(response.content)["code"]) == (411, "request.length_required")


def test_only_mutations_that_were_done_and_published_tell_their_number(api, acme):
    from bitvault.gateway import recounting
    from bitvault.jobs import api as jobs
    from bitvault.kernel import db, tenancy

    mia = api("mia")
    root_id = mia.get("/me").json()["root_id"]
    made = mia.post("/folders", {"parent_id": root_id, "name": "a"})
    assert int(made["BitVault-Seq"]) > 0
    for answer in (
        mia.get("/nodes/root/children"),
        mia.post("/folders", {"parent_id": root_id, "name": "a"}),
        mia.patch(f"/nodes/{made.json()['id']}", {"name": "b"}, revision=9),
    ):
        assert not answer.has_header("BitVault-Seq")
    with tenancy.entered(acme), db.write_transaction():
        job = jobs.enqueue(recounting.RECOUNT_JOB, recounting.RecountUsage(), key="usage", by=jobs.SYSTEM)
    canceled = api("olga").delete(f"/jobs/{job.id}")
    assert (canceled.status_code, canceled.has_header("BitVault-Seq")) == (204, False)
