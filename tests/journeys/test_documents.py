"""What the documents tell a reader to type does what they say."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.sending import PART, Sender

pytestmark = [
    pytest.mark.journey,
    pytest.mark.store,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here, and the documents use it"),
]

ROOT = Path(__file__).resolve().parents[2]


def commands(page: str) -> list[str]:
    """Give the shell commands of a page, block by block."""
    return re.findall(r"^```sh\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def run(live, tmp_path):
    """Run lines of a shell where ``make up`` has left its ``var/demo.json``, and give what they print."""
    (tmp_path / "var").mkdir()
    facts = {"base_url": live.base_url, "token": live.token}
    (tmp_path / "var" / "demo.json").write_text(json.dumps(facts), encoding="utf-8")

    def run(*blocks: str):
        script = "\n".join(blocks)
        done = subprocess.run(
            ["/bin/sh", "-eu", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def mia(live):
    return Sender(live.client("mia"), "")


def test_the_example_of_the_readme_makes_a_folder(live, run):
    (example,) = [block for block in commands("README.md") if "/folders" in block]
    assert '"items":[{' in run(example)


def test_a_small_file_goes_up_by_curl_and_the_same_bytes_need_no_second_way(run, mia, tmp_path):
    small, _, _ = commands("docs/upload.md")
    content = os.urandom(5000)
    (tmp_path / "q3.pdf").write_bytes(content)
    node = json.loads(run(small))
    assert (node["name"], mia.fetch(node).data) == ("q3.pdf", content)
    again = json.loads(run(small.replace('\\"name\\": \\"q3.pdf\\"', '\\"name\\": \\"q4.pdf\\"')))
    assert (again["name"], mia.fetch(again).data) == ("q4.pdf", content)
    assert (tmp_path / "send.curl").read_text() == ""


def test_a_large_file_goes_up_by_curl_and_goes_on_after_a_break(run, mia, tmp_path):
    small, large, _ = commands("docs/upload.md")
    head = "\n".join(small.splitlines()[:4])
    content = os.urandom(2 * PART + 17)
    (tmp_path / "large.mov").write_bytes(content)
    begun, rest = large.split("# Break this off")
    sending, _ = rest.split("json -X POST")
    # All is sent and the commit did not come: what the store holds is not sent again.
    broken_off = f"{begun}\n#{sending}\nrm send.curl\n#{rest}\ntest ! -e send.curl"
    node = json.loads(run(head, broken_off))
    assert (node["name"], node["size_bytes"], mia.fetch(node).data) == ("large.mov", len(content), content)
