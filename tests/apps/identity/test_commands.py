import io
import json
import stat

import pytest
from django.core.management import CommandError, call_command

from apps.identity import api, demo, models, queries
from bitvault.kernel.actor import ALL_SCOPES, Role
from tests.support.world import PASSWORD


@pytest.fixture
def run(db, tmp_path):
    path = tmp_path / "var" / "demo.json"

    def create(base_url="http://127.0.0.1:8000", browser_url="http://demo.localhost:8000"):
        said = io.StringIO()
        call_command("create_demo", output=path, base_url=base_url, browser_url=browser_url, stdout=said)
        return json.loads(path.read_text()), said.getvalue()

    create.path = path
    return create


def opens(content, address):
    tenant = api.find_tenant_by_host(host="demo.localhost")
    for person, role in ((content, Role.OWNER), (content["member"], Role.MEMBER)):
        signed_in = api.sign_in(email=person["email"], password=person["password"], tenant=tenant, address=address)
        assert [found.role for found in signed_in.tenants] == [role]
        actor = api.get_actor_by_token(text=person["token"], address=None)
        assert (actor.user_id, actor.tenant, actor.scopes) == (signed_in.user_id, tenant, ALL_SCOPES)
    return True


def test_the_demo_is_made_and_its_file_is_for_its_owner_only(run, address):
    content, said = run()
    assert set(content) == {
        "base_url",
        "browser_url",
        "socket_url",
        "tenant",
        "email",
        "password",
        "token",
        "member",
        "mailbox_url",
    }
    assert set(content["member"]) == {"email", "password", "token"}
    assert (content["tenant"], content["base_url"]) == ("demo", "http://127.0.0.1:8000")
    assert stat.S_IMODE(run.path.stat().st_mode) == 0o600
    assert [path.name for path in run.path.parent.iterdir()] == ["demo.json"]
    assert opens(content, address)
    assert "made" in said


def test_run_again_it_keeps_what_works_and_takes_new_addresses(run):
    first, _ = run()
    second, said = run(base_url="http://127.0.0.1:9999", browser_url="http://demo.localhost:9999")
    assert second == first | {"base_url": "http://127.0.0.1:9999", "browser_url": "http://demo.localhost:9999"}
    assert "work" in said
    assert models.ApiToken.objects.filter(tenant__slug="demo").count() == 2


@pytest.mark.parametrize("spoil", ["missing", "empty", "half", "other password", "no member"])
def test_a_lost_file_gets_new_secrets_and_says_so(run, address, spoil):
    first, _ = run()
    match spoil:
        case "missing":
            run.path.unlink()
        case "empty":
            run.path.write_text("")
        case "half":
            run.path.write_text(run.path.read_text()[:40])
        case "other password":
            run.path.write_text(json.dumps(first | {"password": "x"}))
        case "no member":
            run.path.write_text(json.dumps({key: value for key, value in first.items() if key != "member"}))
    second, said = run()
    assert "new ones" in said
    assert second["password"] != first["password"]
    assert opens(second, address)
    queries.forget_remembered()
    with pytest.raises(Exception, match="token"):
        api.get_actor_by_token(text=first["token"], address=None)


def test_a_removed_member_comes_back(run, address):
    run()
    tenant = api.find_tenant_by_host(host="demo.localhost")
    person = models.User.objects.get(email=demo.MEMBER_EMAIL)
    api.remove_member(tenant=tenant, user_id=person.id)
    second, _ = run()
    assert opens(second, address)


def test_a_tenant_of_that_name_that_is_somebody_elses_is_left_alone(run, email):
    api.create_tenant(slug="demo", name="Ours", owner_email=email, owner_password="a sentence of my own")
    with pytest.raises(CommandError, match="left alone"):
        run()
    assert not run.path.exists()


def test_a_suspended_demo_is_said_to_be(run):
    run()
    api.suspend_tenant(tenant_id=models.Tenant.objects.get(slug="demo").id)
    with pytest.raises(CommandError, match="suspended"):
        run()


def test_create_tenant_reads_the_password_from_standard_input(db, email, monkeypatch, address):
    monkeypatch.setattr("sys.stdin", io.StringIO("a sentence of my own\n"))
    said = io.StringIO()
    call_command("create_tenant", "newco", "--owner-email", email, "--password-stdin", stdout=said)
    assert "http://newco.localhost" in said.getvalue()
    tenant = api.find_tenant_by_host(host="newco.localhost")
    assert api.sign_in(email=email, password="a sentence of my own", tenant=tenant, address=address)


def test_create_tenant_says_what_is_wrong_in_one_sentence(db, email, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("a sentence of my own\n"))
    with pytest.raises(CommandError, match="kept for the installation"):
        call_command("create_tenant", "www", "--owner-email", email, "--password-stdin")


def test_createsuperuser_makes_an_operator(db, email, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput", "--email", email.upper(), verbosity=0)
    person = models.User.objects.get(email=email)
    assert (person.is_staff, person.is_superuser, person.check_password(PASSWORD)) == (True, True, True)
    assert api.list_tenants_of_user(user_id=person.id) == []
