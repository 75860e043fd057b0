"""The REST surface of search, as docs/openapi.json says it."""

from bitvault.events import consuming
from bitvault.kernel import tenancy


def index(acme):
    with tenancy.entered(acme):
        consuming.consume("search")


def test_a_search_answers_with_nodes_paths_marks_and_how_far_the_index_is(api, acme):
    mia = api("mia")
    root_id = mia.get("/nodes/root").json()["id"]
    folder = mia.post("/folders", {"parent_id": root_id, "name": "Reports"}).json()
    made = mia.post("/folders", {"parent_id": folder["id"], "name": "Annual report"})
    index(acme)
    answer = mia.get("/search", q="annual", min_seq=int(made["BitVault-Seq"]))
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["as_of_seq"] >= int(made["BitVault-Seq"])
    (hit,) = body["items"]
    assert hit["node"] == mia.get(f"/nodes/{made.json()['id']}").json()
    assert [step["id"] for step in hit["path"]] == [root_id, folder["id"]]
    assert hit["highlights"] == [{"start": 0, "end": 6}]
    inside = mia.get("/search", **{"q": "report", "in": folder["id"]}).json()["items"]
    assert inside == [{**hit, "highlights": [{"start": 7, "end": 13}]}]
    assert mia.get("/search/suggest", q="annual").json()["items"] == [
        {
            "id": made.json()["id"],
            "kind": "folder",
            "name": "Annual report",
            "parent_id": folder["id"],
            "parent_name": "Reports",
        }
    ]


def test_bad_searches_are_refused_with_a_code(api):
    mia = api("mia")
    refused = {
        "": "search.nothing_to_search_for",
        "size:huge": "search.filter_invalid",
        "a " * 17: "search.query_too_long",
    }
    for text, code in refused.items():
        answer = mia.get("/search", q=text)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert mia.get("/search", q="x" * 401).status_code == 422
    assert mia.get("/search", q="a", limit=0).status_code == 422
    assert mia.get("/search", q="a", cursor="nonsense").json()["code"] == "request.bad_cursor"
    assert mia.get("/search", q="a", min_seq=10**9).status_code == 422
