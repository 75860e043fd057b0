"""The tree of errors: a kind has a status, an error has a code, a sentence and facts."""

from dataclasses import replace

import pytest

from bitvault.kernel import errors
from bitvault.kernel.actor import ActorKind, PermissionMissing, Scope, ScopeMissing
from bitvault.kernel.permissions import CHOOSABLE, Permission

STATUSES = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.PreconditionFailed: 412,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.Invalid: 422,
    errors.PreconditionRequired: 428,
    errors.Unavailable: 503,
}


@pytest.mark.parametrize(("kind", "status"), STATUSES.items(), ids=lambda value: getattr(value, "__name__", None))
def test_a_kind_has_its_status_and_speaks_when_nothing_is_said(kind, status):
    error = kind()
    assert (error.status, error.detail, str(error)) == (status, kind.title, kind.title)
    assert error.facts == {}


def test_an_error_keeps_its_sentence_and_its_facts():
    error = errors.Conflict("“q3.pdf” is taken.", name="q3.pdf")
    assert (error.detail, error.facts) == ("“q3.pdf” is taken.", {"name": "q3.pdf"})


def test_who_goes_too_fast_is_always_told_for_how_long_to_wait():
    error = errors.TooManyRequests(retry_after_seconds=7)
    assert (error.status, error.retry_after_seconds, error.facts) == (429, 7, {"retry_after_seconds": 7})
    with pytest.raises(TypeError):
        errors.TooManyRequests()


def test_a_broken_rule_of_the_house_is_no_answer():
    """It reaches a caller as a defect, without a word about the inside."""
    assert not issubclass(errors.ProgrammingError, errors.BitVaultError)


def test_a_missing_scope_is_named(make_actor):
    reader = make_actor("mia", scopes=frozenset({Scope.FILES_READ}))
    reader.require_scope(Scope.FILES_READ)
    with pytest.raises(ScopeMissing) as refused:
        reader.require_scope(Scope.FILES_WRITE)
    assert (refused.value.status, refused.value.facts) == (403, {"scope": "files:write"})


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("olga", set(Permission)), ("adam", set(CHOOSABLE)), ("mia", {"share_outside", "make_links"}), ("vera", set())],
)
def test_a_built_in_role_allows_what_the_catalogue_says(make_actor, name, allowed):
    actor = make_actor(name)
    assert {one for one in Permission if actor.may(one)} == allowed


def test_a_role_of_the_tenants_own_allows_what_it_says_and_a_link_nothing(make_actor):
    actor = replace(make_actor("olga"), given=frozenset({Permission.SEE_AUDIT}))
    actor.require_permission(Permission.MANAGE_ROLES, Permission.SEE_AUDIT)
    with pytest.raises(PermissionMissing) as refused:
        actor.require_permission(Permission.MANAGE_ROLES)
    assert (refused.value.status, refused.value.facts) == (403, {"permissions": ["manage_roles"]})
    assert not replace(make_actor("olga"), kind=ActorKind.LINK).may(*Permission)
