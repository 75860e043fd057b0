import threading
import time
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from apps.identity import api, credentials, errors, models, queries
from bitvault.kernel import clock, remembered, tenancy
from bitvault.kernel.actor import ALL_SCOPES, Role, Scope
from bitvault.kernel.errors import Invalid, NotFound
from tests.support.world import ACME, SECRET

SOON = timedelta(days=30)


@pytest.fixture
def made(tenant, actor):
    return api.create_token(
        actor=actor, name="Backup", scopes=frozenset({Scope.FILES_READ}), expires_at=clock.now() + SOON
    )


def holder(text):
    return api.get_actor_by_token(text=text, address="192.0.2.1")


def test_a_token_acts_for_its_holder_within_its_scopes(made, person):
    found = holder(made.token)
    assert (found.user_id, found.role, found.token_id) == (person("mia").user_id, Role.MEMBER, made.id)
    assert (found.scopes, found.session_id, found.address) == (frozenset({Scope.FILES_READ}), None, "192.0.2.1")
    assert found.tenant.id == ACME.id


def test_only_the_hash_of_the_secret_is_kept(made):
    _, secret = credentials.read_token(made.token)
    row = models.ApiToken.objects.get(pk=made.id)
    assert bytes(row.secret_hash) == credentials.hash_secret(secret)
    with connection.cursor() as cursor:
        cursor.execute("SELECT identity_api_token::text FROM identity_api_token WHERE id = %s", [made.id])
        assert secret not in cursor.fetchone()[0]


def test_the_list_shows_no_secret(made, actor, person):
    listed = api.list_tokens(actor=actor).items
    assert [token.id for token in listed] == [made.id, person("mia").token_id]
    assert listed[0].name == "Backup"
    assert not hasattr(listed[0], "token")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: text[:-1],
        lambda text: text.replace("bv_", "bv_0", 1)[:-1],
        lambda text: f"bv_{'0' * 32}_{text[-43:]}",
        lambda text: text.upper(),
        lambda text: f"{text} ",
    ],
)
def test_a_spoilt_token_is_refused_cold_and_warm(made, spoil):
    for _ in range(2):
        with pytest.raises(errors.InvalidToken):
            holder(spoil(made.token))
    holder(made.token)
    for _ in range(2):
        with pytest.raises(errors.InvalidToken):
            holder(spoil(made.token))


@pytest.mark.parametrize("nothing", [b"", b"\0", b"x" * 31])
def test_the_database_keeps_no_token_without_a_whole_hash(made, nothing):
    with pytest.raises(IntegrityError), transaction.atomic():
        models.ApiToken.objects.filter(pk=made.id).update(secret_hash=nothing)
    with pytest.raises(IntegrityError), transaction.atomic():
        models.ApiToken.objects.filter(pk=made.id).update(secret_hash=None)


def test_the_secret_of_one_token_does_not_open_another(made, person):
    with pytest.raises(errors.InvalidToken):
        holder(f"bv_{made.id.hex}_{SECRET}")
    with pytest.raises(errors.InvalidToken):
        holder(credentials.write_token(person("mia").token_id, credentials.read_token(made.token)[1]))


def test_an_expired_token_is_refused_even_while_it_is_remembered(made):
    holder(made.token)
    with clock.fixed_at(made.expires_at), pytest.raises(errors.InvalidToken):
        holder(made.token)
    queries.forget_remembered()
    with clock.fixed_at(made.expires_at), pytest.raises(errors.InvalidToken):
        holder(made.token)
    with clock.fixed_at(made.expires_at - timedelta(seconds=1)):
        holder(made.token)


def test_a_revoked_token_stops_at_once_here_and_is_not_listed(made, actor, events):
    holder(made.token)
    api.revoke_token(actor=actor, token_id=made.id)
    with pytest.raises(errors.InvalidToken):
        holder(made.token)
    assert made.id not in {token.id for token in api.list_tokens(actor=actor).items}
    with pytest.raises(NotFound):
        api.revoke_token(actor=actor, token_id=made.id)
    assert [type_ for type_, _ in events(ACME.id)] == ["identity.token.created.v1", "identity.token.revoked.v1"]


def _put_out(actor):
    models.Membership.objects.filter(user_id=actor.user_id, tenant_id=actor.tenant.id).delete()


def _shut_out(actor):
    models.User.objects.filter(pk=actor.user_id).update(is_active=False)


def _suspend(actor):
    models.Tenant.objects.filter(pk=actor.tenant.id).update(state="suspended")


def _revoke(actor):
    models.ApiToken.objects.filter(user_id=actor.user_id).update(revoked_at=clock.now())


def _erase(actor):
    models.ApiToken.objects.filter(user_id=actor.user_id).delete()


@pytest.mark.parametrize("take_away", [_put_out, _shut_out, _suspend, _revoke, _erase])
def test_what_another_process_takes_away_stops_within_a_second(made, actor, take_away):
    holder(made.token)
    take_away(actor)
    time.sleep(remembered.LIFETIME_SECONDS)
    with pytest.raises(errors.InvalidToken):
        holder(made.token)


def test_a_member_put_out_has_no_token_any_more(made, acme, person):
    holder(made.token)
    api.remove_member(tenant=acme, user_id=person("mia").user_id)
    with pytest.raises(errors.InvalidToken):
        holder(made.token)
    api.add_member(tenant=acme, email=person("mia").email, role=Role.MEMBER)
    with pytest.raises(errors.InvalidToken):
        holder(made.token)


def test_a_change_of_role_is_seen_at_once_here(made, acme, person):
    assert holder(made.token).role is Role.MEMBER
    api.change_role(tenant=acme, user_id=person("mia").user_id, role=Role.VIEWER)
    assert holder(made.token).role is Role.VIEWER


def test_a_token_costs_one_query_and_none_while_it_is_remembered(made, django_assert_num_queries):
    holder(made.token)  # notes the first use
    queries.forget_remembered()
    with django_assert_num_queries(1):
        holder(made.token)
    with django_assert_num_queries(0):
        for _ in range(10):
            holder(made.token)


def test_the_last_use_is_noted_at_most_once_a_minute(made):
    def last_used():
        return models.ApiToken.objects.get(pk=made.id).last_used_at

    assert last_used() is None
    holder(made.token)
    first = last_used()
    assert first is not None
    queries.forget_remembered()
    holder(made.token)
    assert last_used() == first
    later = first + timedelta(seconds=61)
    queries.forget_remembered()
    with clock.fixed_at(later):
        holder(made.token)
    assert last_used() == later


@pytest.mark.committed
def test_noting_the_last_use_waits_for_nobody(person):
    token = person("mia").token
    done = []

    def use():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        done.append(holder(token))
        connection.close()

    with transaction.atomic():
        models.ApiToken.objects.select_for_update().get(pk=person("mia").token_id)
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    assert len(done) == 1


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(seconds=-1), timedelta(days=367), timedelta(days=36500)])
def test_an_expiry_in_the_past_or_over_a_year_away_is_refused(tenant, actor, ahead):
    moment = clock.now()
    with clock.fixed_at(moment), pytest.raises(errors.InvalidExpiry):
        api.create_token(actor=actor, name="x", scopes=ALL_SCOPES, expires_at=moment + ahead)


def test_an_expiry_without_its_time_zone_is_refused(tenant, actor):
    with pytest.raises(errors.InvalidExpiry):
        api.create_token(actor=actor, name="x", scopes=ALL_SCOPES, expires_at=(clock.now() + SOON).replace(tzinfo=None))


@pytest.mark.parametrize("name", ["", " ", "x" * 121, "a\nb", "\0"])
def test_a_name_that_cannot_be_shown_is_refused(tenant, actor, name):
    with pytest.raises(errors.InvalidLabel):
        api.create_token(actor=actor, name=name, scopes=ALL_SCOPES, expires_at=clock.now() + SOON)


def test_a_token_for_nothing_is_refused(tenant, actor):
    with pytest.raises(Invalid):
        api.create_token(actor=actor, name="x", scopes=frozenset(), expires_at=clock.now() + SOON)


def test_a_token_makes_only_tokens_that_may_do_no_more(tenant, make_actor):
    narrow = make_actor("mia", scopes=frozenset({Scope.ACCOUNT, Scope.FILES_READ}))
    with pytest.raises(errors.ScopesTooWide) as caught:
        api.create_token(actor=narrow, name="x", scopes=ALL_SCOPES, expires_at=clock.now() + SOON)
    assert caught.value.facts["missing"] == ["admin", "files:write"]
    api.create_token(actor=narrow, name="x", scopes=frozenset({Scope.FILES_READ}), expires_at=clock.now() + SOON)


def test_nobody_lists_or_revokes_the_tokens_of_somebody_else(made, make_actor, acme, beta):
    olga = make_actor("olga")
    assert made.id not in {token.id for token in api.list_tokens(actor=olga).items}
    with pytest.raises(NotFound):
        api.revoke_token(actor=olga, token_id=made.id)
    holder(made.token)


def test_an_actor_of_another_tenant_comes_to_no_door(tenant, make_actor, made):
    with pytest.raises(tenancy.TenantMismatch):
        api.revoke_token(actor=make_actor("boris"), token_id=made.id)


@pytest.mark.parametrize("count", [10, 200])
def test_a_list_costs_one_query_whatever_its_length(tenant, actor, count, django_assert_num_queries):
    models.ApiToken.objects.all().delete()
    moment = clock.now()
    models.ApiToken.objects.bulk_create(
        models.ApiToken(
            tenant_id=actor.tenant.id,
            user_id=actor.user_id,
            name=str(number),
            secret_hash=credentials.hash_secret(str(number)),
            scopes=["files:read"],
            created_at=moment,
            expires_at=moment + SOON,
        )
        for number in range(count)
    )
    with django_assert_num_queries(1):
        assert len(api.list_tokens(actor=actor).items) == count
