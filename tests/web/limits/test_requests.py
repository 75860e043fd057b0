"""Limits as clients meet them, through the whole product."""

import json
import re
import secrets

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bitvault.web.limits import fair_shares
from bitvault.web.limits.cells import cells
from bitvault.web.problems import LATE
from tests.support.client import ApiClient
from tests.support.world import ACME, BETA, PASSWORD

READ = "/me"


def statuses(call, times):
    return [call().status_code for _ in range(times)]


def problem(answer):
    assert answer["Content-Type"] == "application/problem+json"
    return json.loads(answer.content)


def stranger(host="127.0.0.1", **headers):
    return Client(headers={"host": host, **headers}, raise_request_exception=False)


# --- somebody known --------------------------------------------------------------------------------------------------------


def test_a_token_is_told_how_it_stands_and_when_to_come_back(api, set_limits):
    set_limits(read=(3, 60))
    answers = [api().get(READ) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer["RateLimit"] for answer in answers[:3]] == ['"read";r=2;t=20', '"read";r=1;t=40', '"read";r=0;t=60']
    assert {answer["RateLimit-Policy"] for answer in answers} == {
        '"read";q=3;w=60, "user";q=7500;w=5, "tenant";q=15000;w=5'
    }
    refused = answers[3]
    body = problem(refused)
    assert (body["code"], body["status"], body["policy"]) == ("request.rate_limited", 429, "read")
    assert body["retry_after_seconds"] == int(refused["Retry-After"])
    assert 19 <= int(refused["Retry-After"]) <= 20
    assert refused["RateLimit"] == '"read";r=0;t=60'
    assert refused["X-Request-ID"] == body["request_id"]
    assert refused[LATE] == refused.content.decode(), "what the front passes on, late"
    assert LATE not in answers[0]


def test_each_class_of_route_counts_by_itself(api, set_limits):
    set_limits(read=(2, 60), write=(3, 60), upload=(1, 60))
    mia = api()
    root = mia.get(READ).json()["root_id"]
    assert statuses(lambda: mia.get(READ), 2) == [200, 429]
    made = [mia.post("/folders", {"parent_id": root, "name": f"n{number}"}).status_code for number in range(4)]
    assert made == [201, 201, 201, 429]
    started = [
        mia.post("/uploads", {"parent_id": root, "name": f"u{number}", "size_bytes": 1}).status_code
        for number in range(2)
    ]
    assert started[1] == 429
    assert started[0] in (201, 422)


def test_head_and_options_count_as_reading(api, set_limits):
    set_limits(read=(2, 60))
    mia = api()
    codes = [mia.request(method, READ).status_code for method in ("OPTIONS", "HEAD", "GET")]
    assert codes[2] == 429
    assert 429 not in codes[:2]


def test_what_is_replayed_counts(api, set_limits):
    set_limits(write=(3, 60))
    mia = api()
    root = mia.get(READ).json()["root_id"]
    send = lambda: mia.post("/folders", {"parent_id": root, "name": "once"}, headers={"idempotency-key": "k1"})  # noqa: E731
    assert statuses(send, 4) == [201, 201, 201, 429]


def test_what_is_not_there_or_not_allowed_counts_for_who_asks(api, set_limits):
    set_limits(read=(3, 60), failures=(1, 60))
    vera = api("vera")
    missing = f"/nodes/{ACME.id}"
    assert statuses(lambda: vera.get(missing), 3) == [404, 404, 404]
    assert vera.get(READ).status_code == 429


def test_a_person_has_one_limit_for_all_their_tokens_and_a_tenant_one_for_all_its_people(api, set_limits):
    set_limits(user=(3, 60), tenant=(5, 60))
    assert statuses(lambda: api("mia").get(READ), 4) == [200, 200, 200, 429]
    assert statuses(lambda: api("vera").get(READ), 3) == [200, 200, 429]
    assert statuses(lambda: api("boris").get(READ), 1) == [200], "another tenant"


def test_a_refused_request_costs_neither_a_query_nor_the_right_of_others(api, set_limits):
    set_limits(user=(2, 60))
    mia = api()
    statuses(lambda: mia.get(READ), 2)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert statuses(lambda: mia.get(READ), 50) == [429] * 50
    assert len(asked) == 0
    assert api("vera").get(READ).status_code == 200


def test_a_refused_change_changes_nothing(api, set_limits):
    set_limits(user=(2, 60))
    mia = api()
    root = mia.get(READ).json()["root_id"]
    assert mia.get(f"/nodes/{root}").status_code == 200
    assert mia.post("/folders", {"parent_id": root, "name": "too much"}).status_code == 429
    set_limits()
    assert mia.get(f"/nodes/{root}/children").json()["items"] == []


def test_the_first_page_of_what_is_heavy_is_heavy_and_the_next_are_reading(api, set_limits):
    set_limits(heavy=(2, 60))
    olga = api("olga")
    assert statuses(lambda: olga.get("/audit/export", after=1), 5) == [200] * 5
    assert statuses(lambda: olga.get("/audit/export"), 3) == [200, 200, 429]
    assert olga.get("/audit/verify").status_code == 429


def test_a_page_counts_for_who_is_signed_in(db, set_limits):
    set_limits(read=(2, 60))
    browser = stranger("acme.localhost")
    browser.post("/sign-in/", {"email": "mia@acme.test", "password": PASSWORD})
    codes = statuses(lambda: browser.get("/files/", headers={"accept": "text/html"}), 3)
    refused = browser.get("/files/", headers={"accept": "text/html"})
    assert (codes, refused.status_code) == ([200, 200, 429], 429)
    assert refused["Content-Type"].startswith("text/html")
    assert 1 <= int(refused["Retry-After"]) <= 30


def test_everything_is_let_through_when_limits_are_off(api, set_limits, settings):
    set_limits(read=(1, 60))
    settings.BITVAULT_LIMITS = None
    from bitvault.web.limits import policies

    policies.forget()
    answers = [api().get(READ) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert not answers[0].has_header("RateLimit")


# --- strangers -------------------------------------------------------------------------------------------------------------


def test_guessed_tokens_are_refused_by_address_before_anybody_looks_for_them(db, set_limits):
    set_limits(failures=(5, 60))
    guess = lambda: ApiClient(token=f"bv_{secrets.token_hex(16)}_{'x' * 43}").get(READ)  # noqa: E731
    assert statuses(guess, 5) == [401] * 5
    with CaptureQueriesContext(connection) as asked:
        refused = guess()
    assert (refused.status_code, problem(refused)["policy"], len(asked)) == (429, "failures", 0)
    assert refused["X-Request-ID"] == problem(refused)["request_id"]


def test_a_token_that_was_let_in_is_not_held_up_by_strangers_at_its_address(api, set_limits):
    set_limits(failures=(2, 60))
    mia = api()
    assert mia.get(READ).status_code == 200
    assert statuses(lambda: stranger().get("/nothing"), 3) == [404, 404, 429]
    assert mia.get(READ).status_code == 200


def test_addresses_are_counted_apart(db, set_limits):
    set_limits(failures=(2, 60))
    ask = lambda address: Client(REMOTE_ADDR=address).get("/nothing", headers={"host": "localhost"}).status_code  # noqa: E731
    assert [ask("192.0.2.1") for _ in range(3)] == [404, 404, 429]
    assert ask("192.0.2.2") == 404


def test_unknown_hosts_and_paths_count(db, set_limits):
    set_limits(failures=(3, 60))
    assert statuses(lambda: stranger(f"{secrets.token_hex(4)}.localhost").get("/"), 4) == [404, 404, 404, 429]


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("localhost", "/sign-in/"),
        ("acme.localhost", "/files/"),
        ("localhost", "/readyz"),
        ("127.0.0.1", "/api/v1/schema/"),
        ("admin.localhost", "/admin/login/"),
    ],
)
def test_what_strangers_may_see_counts_by_address(db, set_limits, host, path):
    set_limits(address=(3, 60))
    codes = statuses(lambda: stranger(host).get(path), 4)
    assert codes[3] == 429
    assert 429 not in codes[:3]


def test_a_sign_in_has_a_limit_of_its_own(db, set_limits):
    set_limits(**{"sign-in": (2, 60)})
    browser = stranger("acme.localhost")
    guess = lambda: browser.post("/sign-in/", {"email": f"{secrets.token_hex(4)}@x.test", "password": "wrong"})  # noqa: E731
    codes = statuses(guess, 3)
    assert codes[2] == 429
    assert 429 not in codes[:2]
    assert browser.get("/sign-in/").status_code == 200
    login = ApiClient(host="acme.localhost").post("/auth/login", {"email": "a@x.test", "password": "w"})
    assert login.status_code == 429


def test_health_answers_whatever_an_address_has_used_up(db, set_limits):
    set_limits(address=(1, 60), failures=(1, 60))
    statuses(lambda: stranger().get("/nothing"), 5)
    answers = [stranger().get("/healthz") for _ in range(50)]
    assert {answer.status_code for answer in answers} == {200}


def test_the_paths_without_a_limit_are_those_of_health(settings):
    from bitvault.web.limits import routes
    from bitvault.web.limits.policies import RouteClass
    from tests.support.routes import list_routes

    found = {
        r.path for r in list_routes("bitvault.gateway.urls_bare") if routes.find_said(r.callback) is RouteClass.HEALTH
    }
    assert found == set(settings.BITVAULT_UNLIMITED_PATHS)


# --- shares ----------------------------------------------------------------------------------------------------------------


def test_while_others_ask_too_nobody_takes_more_than_their_share(api, set_limits):
    set_limits(share_percent=1)
    mia, boris = api("mia"), api("boris")
    assert set(statuses(lambda: mia.get(READ), 60)) == {200}, "alone"
    boris.get(READ)
    boris.get(READ)
    refused = [answer for answer in (mia.get(READ) for _ in range(20)) if answer.status_code == 429]
    assert refused
    assert problem(refused[0])["policy"] == "fair-share"
    assert refused[0]["Retry-After"] == "1"
    assert boris.get(READ).status_code == 200


def test_shares_end_with_each_request(api, set_limits):
    set_limits(share_percent=20)
    for name in ("mia", "boris"):
        for path in (READ, f"/nodes/{ACME.id}"):
            api(name).get(path)
    found = fair_shares.find_fair_shares()
    assert found._users._in_flight == found._tenants._in_flight == {}


# --- figures ---------------------------------------------------------------------------------------------------------------


def test_refusals_are_counted(api, set_limits):
    from bitvault.web.limits.counting import REFUSED

    set_limits(user=(1, 60))
    before = REFUSED.labels("user")._value.get()
    statuses(lambda: api().get(READ), 3)
    assert REFUSED.labels("user")._value.get() == before + 2


def test_every_tenants_cells_begin_with_its_id(api, set_limits):
    set_limits()
    api("mia").get(READ)
    api("boris").get(READ)
    assert {key[1] for key in cells._cells} == {ACME.id, BETA.id}
    assert all(re.fullmatch(r"read|user|tenant", key[0]) for key in cells._cells)
