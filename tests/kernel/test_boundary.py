"""Doors are entered by name, by an actor of the tenant that is entered, and know which module they belong to."""

import pytest

from bitvault.kernel import boundary, tenancy
from tests.support.doors import make_door


def greet(*, name, actor=None):
    """Greet."""
    return f"Hello, {name}"


def test_a_door_takes_its_parameters_by_name():
    door = make_door("files", greet)
    assert door(name="Mia") == "Hello, Mia"
    with pytest.raises(TypeError, match="greet is a door: its parameters are passed by name"):
        door("Mia")


def test_a_door_keeps_its_name_documentation_and_module():
    door = make_door("files", greet)
    assert (door.__name__, door.__doc__, door.__exposed__) == ("greet", "Greet.", "files")


@pytest.mark.parametrize(
    ("dotted", "module"),
    [
        ("apps.files.api", "files"),
        ("apps.files.operations.structure", "files"),
        ("bitvault.events.outbox", "events"),
        ("bitvault.gateway.uploads", "gateway"),
        ("apps.files", "files"),
        ("apps", "apps"),
        ("json.decoder", "json"),
    ],
)
def test_a_module_is_told_by_its_path(dotted, module):
    assert boundary.module_of(dotted) == module


def test_an_actor_of_the_entered_tenant_is_let_through(make_actor, acme):
    with tenancy.entered(acme):
        assert make_door("files", greet)(name="Mia", actor=make_actor("mia"))


def test_an_actor_of_another_tenant_is_stopped_before_the_door(make_actor, acme):
    with tenancy.entered(acme), pytest.raises(tenancy.TenantMismatch):
        make_door("files", greet)(name="Boris", actor=make_actor("boris"))


def test_an_actor_without_an_entered_tenant_is_stopped_before_the_door(make_actor):
    with pytest.raises(tenancy.NoTenant):
        make_door("files", greet)(name="Mia", actor=make_actor("mia"))


def test_a_door_without_an_actor_needs_no_tenant():
    assert make_door("identity", greet)(name="Mia")
