"""Narrowing a search by people, folders, the trash and chips, and counting what there is: only of what somebody may see."""

from dataclasses import replace

import pytest

from apps.annotations import api as annotations
from apps.annotations.api import metadata
from apps.annotations.dtos import FieldWish
from apps.files import api as files
from apps.search import api as search
from apps.search import counting, errors, parsing
from bitvault.kernel import ids
from bitvault.kernel.actor import Role
from tests.apps.files.conftest import Tree
from tests.apps.search.conftest import Finder
from tests.apps.search.test_search import reaching
from tests.support.shares import share


@pytest.fixture
def shared(tenant, make_actor):
    """A team folder in which Olga and Mia have a file each, and Mia's search in it."""
    olga, mia = make_actor("olga"), make_actor("mia")
    team = files.create_team_folder(actor=olga, name="Launch")
    share(olga, team.id, mia, role="editor")
    mia = reaching(mia)
    Tree(olga).file("plan of olga.txt", team)
    Tree(mia).file("plan of mia.txt", team)
    return Finder(mia)


def test_people_are_named_as_they_are_called(shared):
    assert shared.names("plan owner:olga") == ["plan of olga.txt"]
    assert shared.names("plan owner:me") == ["plan of mia.txt"]
    assert shared.names("plan owner:me owner:olga") == ["plan of mia.txt", "plan of olga.txt"]
    with pytest.raises(errors.FilterInvalid):
        shared.names("plan owner:nobody-at-all")


def test_people_are_suggested_as_they_are_called_with_the_filter_that_finds_what_is_theirs(shared, make_actor):
    found = search.suggest(actor=shared.actor, text="ol").people
    assert [(one.name, one.filter) for one in found] == [("Olga", 'owner:"Olga"')]
    assert shared.names(f"plan {found[0].filter}") == ["plan of olga.txt"]
    for text in ("o", "owner:olga", '"olga', "nobody of this name"):
        assert search.suggest(actor=shared.actor, text=text).people == []
    guest = replace(shared.actor, role=Role.GUEST)
    assert search.suggest(actor=guest, text="olga").people == []


def test_folders_are_named_and_only_those_that_somebody_sees(tree, finder, make_actor):
    for place in ("Annual reports", "Reports"):
        tree.file("plan.txt", tree.folder("deep", tree.folder(place)))
    tree.file("plan.txt")
    assert [hit.path[1].name for hit in finder.results("plan in:reports").items] == ["Reports"]
    assert [hit.path[1].name for hit in finder.results('plan in:"annual reports"').items] == ["Annual reports"]
    assert len(finder.names("in:reports")) == 2, "a folder alone is a search, too"
    stranger = Finder(make_actor("olga"))
    for name in ("reports", "there is none"):
        with pytest.raises(errors.FilterInvalid):
            stranger.names(f'plan in:"{name}"')


def test_tags_narrow_by_their_whole_names_and_only_what_somebody_sees(tree, finder, make_actor):
    adam = make_actor("adam")
    urgent, done = (annotations.create_tag(actor=tree.actor, name=name) for name in ("Urgent", "To be done"))
    both, one, none = (tree.file(f"plan {name}.txt") for name in ("both", "one", "none"))
    for node, tag in ((both, urgent), (both, done), (one, urgent)):
        annotations.tag_node(actor=tree.actor, node_id=node.id, tag_id=tag.id)
    assert set(finder.names("plan tag:urgent")) == {both.name, one.name}
    assert finder.names('tag:URGENT tag:"to be done"') == [both.name]
    (hit,) = finder.results(tag=str(done.id)).items
    assert (hit.node.name, [tag.name for tag in hit.node.tags]) == (both.name, ["To be done", "Urgent"])
    assert len(finder.names("plan")) == 3
    facets = finder.results("plan", facets=True).facets
    assert [(each.label, each.count) for each in facets.tags] == [("Urgent", 2), ("To be done", 1)]
    assert Finder(adam).names("tag:urgent") == []
    annotations.update_tag(actor=adam, tag_id=urgent.id, name="Now")
    assert set(finder.names("tag:now")) == {both.name, one.name}
    for text in ("tag:urgent", "tag:no", "tag:none"):
        with pytest.raises(errors.FilterInvalid):
            finder.names(text)
    tree.trash(one)
    assert finder.names("tag:now") == [both.name]
    assert finder.names("tag:now in:trash") == [one.name]
    annotations.delete_tag(actor=adam, tag_id=urgent.id)
    assert [each.label for each in finder.results("plan", facets=True).facets.tags] == ["To be done"]
    assert none.name in finder.names("plan")


def test_the_trash_is_searched_alone_and_by_who_may_look_into_it(tree, finder, make_actor):
    kept, gone = tree.file("plan kept.txt"), tree.file("plan gone.txt", tree.folder("Ideas"))
    tree.trash(gone)
    assert finder.names("plan") == [kept.name]
    for found in (finder.results("plan in:trash"), finder.results("plan", trashed=True)):
        (hit,) = found.items
        assert (hit.node.name, hit.node.trashed_at is not None, hit.path, hit.origin_path) == (
            "plan gone.txt",
            True,
            (),
            "/Ideas/plan gone.txt",
        )
    assert Finder(make_actor("olga")).names("plan in:trash") == []


def test_what_is_found_is_counted_over_what_may_be_seen_and_nothing_else(shared, make_actor, monkeypatch):
    Tree(make_actor("adam")).file("plan of a stranger.txt")
    Tree(shared.actor).folder("plan")
    facets = shared.results("plan", facets=True, limit=1).facets
    assert [(each.value, each.count) for each in facets.kinds] == [("file", 2), ("folder", 1)]
    assert {each.value: each.count for each in facets.types} == {"text": 2, "folder": 1}
    assert sum(each.count for each in facets.owners) == 3
    assert all(each.label for each in facets.owners)
    assert {each.value: each.count for each in facets.modified} == dict.fromkeys(counting.SINCE, 3)
    assert not facets.is_capped
    monkeypatch.setattr(counting, "CANDIDATES_LIMIT", 2)
    assert shared.results("plan", facets=True).facets.is_capped


def test_counting_costs_the_same_however_much_was_found(tree, finder, counted_queries):
    counts = []
    for number in (1, 30):
        for each in range(number):
            tree.file(f"plan {number} {each}.txt")
        finder.names("plan")
        with counted_queries() as queries:
            search.search(actor=finder.actor, text="plan", facets=True)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_filters_in_a_text_can_be_taken_away_one_by_one():
    assert parsing.list_filters('a type:pdf "b c" in:"My folder" -type:doc -in:b 12:30 type:') == [
        ("type:pdf", 'a "b c" in:"My folder" -type:doc -in:b 12:30 type:'),
        ('in:"My folder"', 'a type:pdf "b c" -type:doc -in:b 12:30 type:'),
        ("-type:doc", 'a type:pdf "b c" in:"My folder" -in:b 12:30 type:'),
    ]
    wanted = parsing.parse("in:trash in:b owner:c", me=ids.new_id())
    assert (wanted.is_trashed, wanted.folder_names, wanted.owner_names, wanted.terms) == (True, ("b",), ("c",), ())


def test_metadata_narrows_by_what_is_in_a_field_and_each_kind_has_its_way(tree, finder, make_actor):
    adam = make_actor("adam")
    kinds = {"Project": "text", "Amount": "number", "Due date": "date", "Status": "choice", "Reviewer": "person"}
    fields = [
        FieldWish(name=name, kind=kind, choices=["In review", "Done"] * (kind == "choice"))
        for name, kind in kinds.items()
    ]
    template = metadata.create_template(actor=adam, name="Contract", fields=fields)
    ids = {field.name: field.id for field in template.fields}
    small, large, none = (tree.file(f"plan {name}.txt") for name in ("small", "large", "none"))

    def put(node, name, value):
        metadata.set_metadata(actor=tree.actor, node_id=node.id, field_id=ids[name], value=value)

    put(small, "Project", "Apollo Löwe")
    put(small, "Amount", 99.5)
    put(small, "Due date", "2026-02-28")
    put(small, "Status", "Done")
    put(small, "Reviewer", str(tree.actor.user_id))
    put(large, "Amount", 100)
    put(large, "Due date", "2026-12-31")
    put(large, "Status", "In review")
    for text, names in {
        "project:lowe": [small],
        'plan Project:"apollo l"': [small],
        "amount:>99": [small, large],
        "amount:>=100": [large],
        "amount:<100": [small],
        "amount:99.5": [small],
        "amount:99..99.9": [small],
        "amount:100..": [large],
        "due-date:2026-12": [large],
        "duedate:<2026-12-31": [small],
        "duedate:<=2026": [small, large],
        "duedate:>2026-02": [large],
        "duedate:2026-02-01..2026-06": [small],
        'status:"in review"': [large],
        "status:review": [large],
        "reviewer:me": [small],
        "reviewer:mia": [small],
        "status:*": [small, large],
        "plan -status:*": [none],
        "plan -status:done": [large, none],
        "amount:>1 status:done": [small],
    }.items():
        assert sorted(finder.names(text)) == sorted(node.name for node in names), text
    for text in ("amount:ten", "duedate:soon", "duedate:2026-13", "reviewer:nobody-at-all"):
        with pytest.raises(errors.FilterInvalid):
            finder.names(text)
    assert finder.names("unknown:field") == [], "what names no field is a word"
    facets = finder.results("plan", facets=True).facets
    assert [(each.value, each.label, each.count) for each in facets.metadata] == [
        ("status:Done", "Status: Done", 1),
        ('status:"In review"', "Status: In review", 1),
    ]
    assert search.list_filters(actor=tree.actor, text="plan amount:>1 -status:done x:y") == [
        ("amount:>1", "plan -status:done x:y"),
        ("-status:done", "plan amount:>1 x:y"),
    ]
    assert Finder(make_actor("olga")).names("status:done") == []
    kept = [FieldWish(id=ids["Status"], name="Phase", kind="choice", choices=["Done"])]
    metadata.update_template(actor=adam, template_id=template.id, fields=kept)
    assert (finder.names("phase:done"), finder.names("amount:>1")) == ([small.name], [])
    metadata.delete_template(actor=adam, template_id=template.id)
    assert finder.results("plan", facets=True).facets.metadata == []
