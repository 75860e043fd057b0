"""The frame around pages: what modules register is what it shows, to whom it is for."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from bitvault.kernel.actor import Role
from bitvault.kernel.permissions import Permission
from bitvault.web import shell


@pytest.fixture
def registered():
    """Register entries for one test."""
    made = []

    def register(*entries):
        shell.register(*entries)
        made.extend(entries)

    yield register
    for entry in made:
        shell._REGISTRIES[type(entry)].remove(entry.key)


@pytest.fixture
def frame_of(make_actor, tenant):
    return lambda who, **changes: shell.Frame(SimpleNamespace(actor=replace(make_actor(who), **changes)))


def section(key, **facts):
    return shell.Section(key=key, label=key, icon="folder", href=f"/{key}/", **{"order": 1, **facts})


def test_sections_stand_in_the_order_that_they_name(registered, frame_of):
    registered(section("later", order=3), section("first", order=1), section("between", order=2))
    keys = [entry.key for entry in frame_of("mia").sections]
    assert [key for key in keys if key in ("first", "between", "later")] == ["first", "between", "later"]


def test_an_entry_is_shown_to_those_that_it_is_for(registered, frame_of):
    registered(section("administration", visible_to=shell.allowed(Permission.MANAGE_SETTINGS)))
    assert "administration" not in [entry.key for entry in frame_of("mia", role=Role.MEMBER).sections]
    assert "administration" in [entry.key for entry in frame_of("mia", role=Role.ADMIN).sections]


def test_a_visitor_is_shown_nothing_of_the_members_frame(registered):
    registered(section("anything"))
    frame = shell.Frame(SimpleNamespace())
    assert (frame.sections, frame.styles, frame.overlays, frame.account_items) == ([], [], [], [])


def test_two_entries_of_one_kind_cannot_have_one_key(registered):
    registered(section("once"))
    with pytest.raises(shell.AlreadyRegistered):
        registered(section("once"))


def test_actions_stand_in_groups(registered, frame_of):
    def action(key, group, order):
        return shell.NodeAction(key=key, label=key, icon="x", group=group, order=order)

    registered(action("b", 1002, 1), action("d", 1001, 5), action("a", 1001, 9), action("c", 1002, 0))
    assert [entry.key for entry in frame_of("mia").node_actions][-4:] == ["d", "a", "c", "b"]


def test_parts_go_where_they_belong(registered, frame_of):
    registered(
        shell.Part(key="t", slot="top", template="t.html", order=1),
        shell.Part(key="r", slot="rail", template="r.html", order=1),
        shell.Part(key="f", slot="folder", template="f.html", order=1),
        shell.Part(key="h", slot="heading", template="h.html", order=1),
        shell.Part(key="s", slot="share", template="s.html", order=1),
    )
    frame = frame_of("mia")
    assert "t.html" in frame.top
    assert "r.html" in frame.rail
    assert "f.html" in frame.folder_commands
    assert "h.html" in frame.folder_headings
    assert "s.html" in frame.share_sections
    assert "t.html" not in frame.rail + frame.overlays


def test_details_stand_in_their_tabs_and_a_tab_without_any_is_left_out(registered, frame_of):
    def section(key, tab, order):
        return shell.DetailsSection(key=key, tab=tab, href=f"/{key}", order=order)

    registered(
        shell.DetailsTab(key="later", label="Later", order=1002),
        shell.DetailsTab(key="first", label="First", order=1001),
        shell.DetailsTab(key="empty", label="Empty", order=1003),
        *(section("b", "first", 2), section("a", "first", 1), section("c", "later", 1)),
    )
    shown = {one.tab.key: [entry.key for entry in one.sections] for one in frame_of("mia").details_tabs}
    assert list(shown)[-2:] == ["first", "later"]
    assert (shown["first"], shown["later"]) == (["a", "b"], ["c"])


def test_each_entry_of_the_rail_has_a_picture_of_its_own(frame_of):
    """On a tablet it is all that is seen of one."""
    icons = [entry.icon for entry in frame_of("olga", role=Role.OWNER).sections]
    assert sorted(icons) == sorted(set(icons))
