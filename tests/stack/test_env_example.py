"""``.env.example`` and the code know the same variables."""

import re

from bitvault.stack.layout import ROOT

EXAMPLE = (ROOT / ".env.example").read_text()
READER = (ROOT / "bitvault" / "settings" / "env.py").read_text()


def listed():
    return re.findall(r"^#?(BITVAULT_[A-Z0-9_]+)=", EXAMPLE, re.MULTILINE)


def read():
    return set(re.findall(r"\"(BITVAULT_[A-Z0-9_]+)\"", READER))


def test_every_variable_is_listed_once_and_nothing_else():
    assert sorted(listed()) == sorted(read())


def test_what_must_be_set_is_not_commented_out():
    required = set(re.findall(r"_required\(\"(BITVAULT_[A-Z0-9_]+)\"\)", READER))
    assert required
    assert required <= set(re.findall(r"^(BITVAULT_[A-Z0-9_]+)=", EXAMPLE, re.MULTILINE))


def test_defaults_are_told_as_they_are():
    defaults = dict(re.findall(r"\"(BITVAULT_[A-Z0-9_]+)\", default=\"?([^\"()]+?)\"?\)", READER))
    told = dict(re.findall(r"^#(BITVAULT_[A-Z0-9_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    for name, value in defaults.items():
        if name in told and value.lower() not in {"database_url", "s3_endpoint_url", "[]"}:
            assert told[name] == {"True": "true", "False": "false"}.get(value, value), name


def test_every_variable_is_explained():
    lines = EXAMPLE.splitlines()
    for index, line in enumerate(lines):
        if re.match(r"#?BITVAULT_[A-Z0-9_]+=", line):
            above = index - 1
            while re.match(r"#?[A-Z0-9_]+=", lines[above]):
                above -= 1
            assert lines[above].startswith("# "), line


def test_the_compose_file_asks_for_nothing_that_is_not_listed():
    asked = set(re.findall(r"\$\{([A-Z0-9_]+)[:}]", (ROOT / "compose.yaml").read_text()))
    known = set(re.findall(r"^#?([A-Z0-9_]+)=", EXAMPLE, re.MULTILINE))
    assert asked <= known


def test_static_files_and_figures_lie_where_the_surroundings_say(monkeypatch, tmp_path):
    from bitvault.settings import env

    assert env.read().static_directory == str(ROOT / "var" / "static")
    monkeypatch.setenv("BITVAULT_STATIC_DIRECTORY", str(tmp_path / "static"))
    assert env.read().static_directory == str(tmp_path / "static")
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    env.share_figures(str(tmp_path / "figures"))
    assert (tmp_path / "figures").is_dir()
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR")


def test_the_image_collects_what_its_processes_serve():
    lines = (ROOT / "Dockerfile").read_text()
    assert "manage.py collectstatic" in lines
    assert "BITVAULT_STATIC_DIRECTORY" not in lines, "both stages use the place beside the code"
    assert "COPY --from=build /srv/bitvault /srv/bitvault" in lines
