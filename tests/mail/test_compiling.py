"""HTML templates of mails are compiled from MJML beforehand, and are never older than their sources."""

import re

import pytest

from bitvault.mail import compiling


def test_every_template_is_what_its_source_is_compiled_to():
    assert compiling.list_sources()
    assert list(compiling.list_stale()) == []


def test_a_source_that_has_changed_is_found_and_compiled(tmp_path, monkeypatch):
    from django.core.management import CommandError, call_command

    source = tmp_path / "apps" / "letter.mjml"
    source.parent.mkdir()
    source.write_text("<mjml><mj-body><mj-raw>{% block body %}{% endblock %}</mj-raw></mj-body></mjml>")
    monkeypatch.setattr(compiling, "ROOT", tmp_path)
    with pytest.raises(CommandError, match=r"letter\.mjml"):
        call_command("compile_mail", check=True)
    call_command("compile_mail")
    call_command("compile_mail", check=True)
    assert "{% block body %}{% endblock %}" in source.with_suffix(".html").read_text()
    source.write_text(source.read_text().replace("body %}", "content %}"))
    assert list(compiling.list_stale()) == [source]


def test_a_mail_loads_nothing_from_elsewhere():
    """A picture or font of another host would tell it who reads the mail, and when. The logo of a vault comes from its own host."""
    for source in compiling.list_sources():
        text = compiling.target_of(source).read_text()
        assert "@import" not in text
        assert "<link" not in text
        assert set(re.findall(r"src=(.{16})", text)) <= {'"{{ logo_url }}"'}
