"""Scripts name each other by digest, so that a browser keeps all of them and never runs two versions side by side."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command

from bitvault.web.static_files import StaticFiles

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"\.[0-9a-f]{12}\.")
OWN = ("js", "files", "sharing", "links", "previews", "annotations", "gateway")


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    from django.test import override_settings

    root = tmp_path_factory.mktemp("static")
    storages = {"staticfiles": {"BACKEND": f"{StaticFiles.__module__}.{StaticFiles.__qualname__}"}}
    with override_settings(STATIC_ROOT=str(root), STORAGES=storages):
        call_command(
            "collectstatic", interactive=False, verbosity=0, ignore_patterns=["drf_spectacular_sidecar", "admin"]
        )
    return root


def test_what_a_script_imports_is_named_by_digest(collected):
    seen = 0
    for script in (path for app in OWN for path in (collected / app).rglob("*.js") if NAMED.search(path.name)):
        for line in script.read_text().splitlines():
            imported = re.search(r'^(?:import|export|\} from)\b.*["\'](\.[^"\']+)["\']|new URL\("(\./[^"]+)"', line)
            if imported:
                address = imported[1] or imported[2]
                assert NAMED.search(address), f"{script.name}: {line}"
                assert (script.parent / address).resolve().is_file(), f"{script.name}: {line}"
                seen += 1
    assert seen > 200


def test_no_script_is_left_over_from_before_its_imports_were_named(collected):
    for folder in (path for app in OWN for path in (collected / app).rglob("*") if path.is_dir()):
        plain = {path.name for path in folder.glob("*.js") if not NAMED.search(path.name)}
        assert len(list(folder.glob("*.js"))) == 2 * len(plain), folder


def test_what_is_busy_is_so_by_one_module():
    """A form that listens for "submit" alone, or marks its button alone, is soon sent twice, or answered out of turn."""
    own = {
        "busy.js",
        "plain.js",  # forms that leave the page
        "preferences.js",  # Enter in a form that is saved as one types
    }
    scripts = [path for path in ROOT.glob("[ab]*/**/static/**/*.js") if "vendor" not in path.parts]
    assert len(scripts) > 100
    alone = re.compile(r'addEventListener\(\s*"submit"|dataset\.busy')
    assert {path.name for path in scripts if alone.search(path.read_text())} <= own
