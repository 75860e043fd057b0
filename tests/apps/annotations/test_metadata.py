"""Metadata: who makes templates, who fills fields in, what each kind takes, and what copies, the trash and deletion do to it."""

from uuid import uuid4

import pytest

from apps.annotations import errors
from apps.annotations.api import metadata
from apps.annotations.dtos import FieldWish
from apps.annotations.models import FieldValue
from apps.annotations.operations import describing, templates
from apps.files import api as files
from apps.files.api import copies
from bitvault.kernel import db, ids
from bitvault.kernel.actor import PermissionMissing
from bitvault.kernel.errors import Forbidden, NotFound
from tests.apps.files.conftest import events

KINDS = {"Project": "text", "Amount": "number", "Due": "date", "Status": "choice", "Reviewer": "person"}


def wishes(**more):
    return [
        FieldWish(name=name, kind=kind, choices=["Open", "Done"] * (kind == "choice")) for name, kind in KINDS.items()
    ]


@pytest.fixture
def contract(adam, tenant):
    return metadata.create_template(actor=adam, name="Contract", fields=wishes())


def field(template, name):
    return next(one.id for one in template.fields if one.name == name)


def put(actor, node, template, **values):
    for name, value in values.items():
        metadata.set_metadata(actor=actor, node_id=node.id, field_id=field(template, name), value=value)


def held(actor, node):
    return {value.name: value.value for value in metadata.list_metadata(actor=actor, node_id=node.id)}


def count():
    with db.read_transaction():
        return FieldValue.objects.count()


def test_who_manages_metadata_makes_templates_and_everybody_reads_them(tree, adam, contract, make_actor):
    assert [one.name for one in metadata.list_templates(actor=tree.actor)] == ["Contract"]
    assert [(one.name, one.kind) for one in contract.fields] == list(KINDS.items())
    for act in (
        lambda: metadata.create_template(actor=tree.actor, name="Mine", fields=wishes()),
        lambda: metadata.update_template(actor=tree.actor, template_id=contract.id, name="Mine"),
        lambda: metadata.delete_template(actor=tree.actor, template_id=contract.id),
    ):
        with pytest.raises(PermissionMissing):
            act()
    with pytest.raises(errors.TemplateNameTaken):
        metadata.create_template(actor=adam, name=" CONTRACT ", fields=wishes())
    for unfit in (
        [],
        [FieldWish(name="", kind="text")],
        [FieldWish(name="a", kind="text"), FieldWish(name="A", kind="date")],
        [FieldWish(name="a", kind="choice")],
        [FieldWish(name="a", kind="text", choices=["x"])],
        [FieldWish(name=f"f{number}", kind="text") for number in range(templates.FIELDS_LIMIT + 1)],
    ):
        with pytest.raises(errors.TemplateUnfit):
            metadata.create_template(actor=adam, name="Other", fields=unfit)


def test_who_may_edit_a_node_fills_fields_in_and_who_sees_it_reads_them(tree, olga, photos, contract):
    person = str(tree.actor.user_id)
    put(
        tree.actor,
        photos,
        contract,
        Project="  Apollo  11 ",
        Amount=12.50,
        Due="2026-12-31",
        Status="Open",
        Reviewer=person,
    )
    assert held(olga, photos) == {
        "Project": "Apollo 11",
        "Amount": 12.5,
        "Due": "2026-12-31",
        "Status": "Open",
        "Reviewer": person,
    }
    labels = [value.label for value in metadata.list_metadata(actor=olga, node_id=photos.id)]
    assert labels == ["Apollo 11", "12.5", "2026-12-31", "Open", "Mia"]
    kind, told = events()[-1]
    assert kind == "annotations.metadata.changed.v1"
    assert dict(zip(told["names"], told["values"], strict=True))["Amount"] == "12.5"
    before = len(events())
    put(tree.actor, photos, contract, Amount="12.500")
    assert len(events()) == before, "what holds already is told to nobody"
    for _ in range(2):
        metadata.clear_metadata(actor=tree.actor, node_id=photos.id, field_id=field(contract, "Amount"))
    assert "Amount" not in held(tree.actor, photos)
    assert len(events()) == before + 1
    hidden = tree.folder("Hidden")
    for node, refusal in ((photos, Forbidden), (hidden, NotFound)):
        with pytest.raises(refusal):
            put(olga, node, contract, Project="x")
    with pytest.raises(NotFound):
        metadata.list_metadata(actor=olga, node_id=hidden.id)
    with pytest.raises(NotFound):
        metadata.set_metadata(actor=tree.actor, node_id=photos.id, field_id=uuid4(), value="x")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("Project", value) for value in ("", " ", "a\x07b", "x" * 1001, 5)],
        *[("Amount", value) for value in ("", "ten", "nan", "1e400", 10**15, "Infinity")],
        *[("Due", value) for value in ("", "31.12.2026", "2026-02-30", "2026-1-1", 2026)],
        *[("Status", value) for value in ("", "open", "Closed", 1)],
        *[("Reviewer", value) for value in ("", "Mia", "0190a000-0000-7000-8000-000000000000")],
    ],
)
def test_a_value_that_the_field_does_not_take_is_refused(tree, photos, contract, name, value):
    with pytest.raises(errors.ValueUnfit):
        put(tree.actor, photos, contract, **{name: value})


def test_a_field_keeps_its_values_when_it_is_renamed_and_takes_them_along_when_it_goes(tree, adam, photos, contract):
    put(tree.actor, photos, contract, Project="Apollo", Status="Open")
    project, status = (next(one for one in contract.fields if one.name == name) for name in ("Project", "Status"))
    swapped = [
        FieldWish(id=status.id, name="Project", kind="choice", choices=["Closed"]),
        FieldWish(id=project.id, name="Status", kind="text"),
    ]
    changed = metadata.update_template(actor=adam, template_id=contract.id, name="Deal", fields=swapped)
    assert [(one.name, one.kind) for one in changed.fields] == [("Project", "choice"), ("Status", "text")]
    assert held(tree.actor, photos) == {"Project": "Open", "Status": "Apollo"}
    kind, told = events()[-1]
    assert (kind, told["name"], len(told["removed_field_ids"])) == ("annotations.template.changed.v1", "Deal", 3)
    before = len(events())
    metadata.update_template(actor=adam, template_id=contract.id, name="Deal", fields=swapped)
    assert len(events()) == before
    with pytest.raises(errors.TemplateUnfit):
        metadata.update_template(
            actor=adam, template_id=contract.id, fields=[FieldWish(id=project.id, name="Status", kind="number")]
        )
    with pytest.raises(NotFound):
        metadata.update_template(
            actor=adam, template_id=contract.id, fields=[FieldWish(id=uuid4(), name="x", kind="text")]
        )
    metadata.update_template(actor=adam, template_id=contract.id, fields=swapped[:1])
    assert held(tree.actor, photos) == {"Project": "Open"}
    metadata.delete_template(actor=adam, template_id=contract.id)
    assert (held(tree.actor, photos), count()) == ({}, 0)


def test_a_node_has_values_in_so_many_fields_and_no_more(tree, photos, contract, monkeypatch):
    monkeypatch.setattr(describing, "NODE_LIMIT", 1)
    put(tree.actor, photos, contract, Project="a")
    put(tree.actor, photos, contract, Project="b")
    with pytest.raises(errors.TooMuchMetadata):
        put(tree.actor, photos, contract, Amount=1)


def test_copies_begin_with_it_and_the_trash_and_a_new_version_keep_it(tree, photos, contract, catch_up):
    put(tree.actor, photos, contract, Project="Apollo", Amount=3)
    home = tree.folder("Home")
    made, _ = copies.copy_node(
        actor=tree.actor, node_id=photos.id, parent_id=home.id, copy_id=ids.new_id(), made_on="API"
    )
    for _ in range(2):
        catch_up()
    assert held(tree.actor, made) == {"Project": "Apollo", "Amount": 3}
    put(tree.actor, made, contract, Project="Gemini")
    assert held(tree.actor, photos)["Project"] == "Apollo"
    files.trash_node(actor=tree.actor, node_id=photos.id)
    with pytest.raises(NotFound):
        held(tree.actor, photos)
    files.restore_node(actor=tree.actor, node_id=photos.id)
    assert held(tree.actor, photos) == {"Project": "Apollo", "Amount": 3}
    files.trash_node(actor=tree.actor, node_id=photos.id)
    files.purge_node(actor=tree.actor, node_id=photos.id)
    catch_up()
    assert count() == 2
