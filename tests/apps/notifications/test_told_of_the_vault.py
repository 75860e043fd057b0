"""Being told of the vault itself: that it is to be deleted, and that it is kept after all."""

from apps.identity import api as identity


def test_everybody_is_told_that_the_vault_is_to_be_deleted_and_that_it_is_kept(teller, vera, tenant, make_actor):
    owner = make_actor("olga")
    deletion = identity.request_deletion(actor=owner, name=tenant.name)
    (notice,) = teller.notices(vera).items
    assert notice.text.startswith("This vault is to be deleted with everything in it on ")
    assert f"{deletion.due_at:%Y}" in notice.text
    assert notice.topic == "vault"
    identity.withdraw_deletion(actor=owner)
    assert teller.texts(vera)[0] == "This vault is not deleted after all"
    # No mail goes out for it: Identity itself writes to owners and administrators.
    assert [mail for mail in teller.mails() if mail.to == ["vera@acme.test"]] == []
