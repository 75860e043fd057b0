"""Colours of a vault: which can be read (WCAG 2.2), and what pages are drawn in with them."""

import re

import pytest
from django.test import Client

from apps.identity import colours, queries
from apps.identity.errors import ColourUnfit


@pytest.fixture(autouse=True)
def _as_of_now():
    queries.forget_remembered()
    yield
    queries.forget_remembered()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    # Figures of the examples of WCAG's own technique G18 and of its definition.
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#767676", "#ffffff", 4.54),
        ("#0000ff", "#ffffff", 8.59),
    ],
)
def test_contrast_is_that_of_wcag(one, other, expected):
    assert colours.contrast(one, other) == pytest.approx(expected, abs=0.01)
    assert colours.contrast(other, one) == colours.contrast(one, other)


@pytest.mark.parametrize("colour", ["#ffd400", "#ff8800", "#9acd32", "#ffffff"])
def test_a_colour_that_is_too_pale_is_refused_with_one_that_can_be_read(colour):
    with pytest.raises(ColourUnfit) as refused:
        colours.read(colour, None)
    facts = refused.value.facts
    assert (facts["field"], facts["needed"]) == ("light", 4.5)
    assert facts["contrast"] < 4.5
    assert colours.contrast(facts["suggestion"], colours.GROUND["light"]) >= 4.5
    assert colours.read(facts["suggestion"], None).light == facts["suggestion"]


def test_a_colour_that_is_too_dark_for_dark_pages_is_refused_or_made_lighter():
    with pytest.raises(ColourUnfit) as refused:
        colours.read("#0b6b57", "#0b6b57")
    assert refused.value.facts["field"] == "dark"
    made = colours.read("#0b6b57", None).dark
    assert colours.contrast(made, colours.GROUND["dark"]) >= 4.5


@pytest.mark.parametrize("colour", ["#0b6b57", "#ffd400", "#000000", "#ffffff", "#ff0000", "#0000ff", "#777777"])
def test_whatever_the_colour_is_all_that_is_drawn_with_it_can_be_read(colour):
    css = colours.to_stylesheet(colour, colour)
    values = dict(re.findall(r"--([a-z-]+):light-dark\((#[0-9a-f]{6},#[0-9a-f]{6})\)", css))
    for side, ground in enumerate((colours.GROUND["light"], colours.GROUND["dark"])):
        shade = {name: pair.split(",")[side] for name, pair in values.items()}
        for text, below in (
            (shade["accent-ink"], shade["accent"]),
            (shade["accent-text"], ground),
            (shade["accent-text"], shade["accent-soft"]),
            (shade["accent-text"], shade["selected-hover"]),
            (shade["accent"], ground),
            (shade["inverse-accent"], ("#1e2322", "#edf0ee")[side]),
        ):
            assert colours.contrast(text, below) >= 4.5, (side, text, below)


def test_a_vault_wears_its_colours_on_pages_for_everybody_and_takes_them_off(api, events):
    olga = api("olga")
    for _ in range(2):
        answer = olga.patch("/tenant", {"colours": {"light": "#7A1FA2"}})
        assert answer.status_code == 200, answer.content
    chosen = answer.json()["colours"]
    assert chosen["light"] == "#7a1fa2"
    anybody = Client(headers={"host": "acme.localhost"})
    (address,) = re.findall(r"/accent/[0-9a-f-]+\.css", anybody.get("/sign-in/").content.decode())
    assert address == f"/accent/7a1fa2-{chosen['dark'][1:]}.css"
    css = anybody.get(address)
    assert "--accent:light-dark(#7a1fa2," in css.content.decode()
    assert "immutable" in css["Cache-Control"]
    assert olga.patch("/tenant", {"colours": None}).json()["colours"] is None
    assert "/accent/" not in anybody.get("/sign-in/").content.decode()
    told = [payload["changed"] for kind, payload in events(olga_tenant(olga)) if kind == "identity.tenant.changed.v1"]
    assert told == [["accent_light", "accent_dark"]] * 2


def olga_tenant(olga):
    return olga.get("/tenant").json()["id"]


def test_a_colour_that_cannot_be_read_is_refused_over_rest_in_plain_words(api):
    answer = api("olga").patch("/tenant", {"colours": {"light": "#ffd400"}})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (422, "identity.colour_unfit", "light")
    assert problem["detail"].startswith("This color is too pale to be read on light pages.")
    assert api("mia").patch("/tenant", {"colours": {"light": "#7a1fa2"}}).status_code == 403


@pytest.mark.parametrize("address", ["/accent/zzzzzz-000000.css", "/accent/0b6b57.css", "/accent/0b6b57-4fc7a5;x.css"])
def test_what_is_no_colour_has_no_style_sheet(db, address):
    assert Client(headers={"host": "acme.localhost"}).get(address).status_code == 404
