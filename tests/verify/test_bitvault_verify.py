"""``bitvault-verify``: whatever is done to an export is found and located, with Python's standard library alone."""

import gzip
import json
import os
import random
import subprocess
import sys

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from apps.admin_platform import signing
from bitvault.stack.layout import ROOT
from bitvault_verify import anchors, ed25519
from bitvault_verify.checking import Wanted, check
from tests.verify import exports

FIELDS = ("seq", "event_id", "type", "occurred_at", "actor_id", "node_id", "address", "request_id", "payload")
LOG = exports.entries(120)
WHOLE = exports.anchored(LOG)
KEYS = frozenset({signing.public_key()})


def rewrite(line: bytes, **changes) -> bytes:
    return msgspec.json.encode({**msgspec.json.decode(line), **changes})


def change(rng, lines, at):
    field = rng.choice(FIELDS)
    value = {"x": rng.random()} if field == "payload" else f"other {rng.random()}"
    return [*lines[:at], rewrite(lines[at], **{field: value}), *lines[at + 1 :]]


def change_a_hash(rng, lines, at):
    field = rng.choice(["hash", "previous_hash"])
    return [*lines[:at], rewrite(lines[at], **{field: rng.randbytes(32).hex()}), *lines[at + 1 :]]


def change_the_number(rng, lines, at):
    return [*lines[:at], rewrite(lines[at], number=rng.randint(1, 10_000) + 200), *lines[at + 1 :]]


def delete(rng, lines, at):
    return [*lines[:at], *lines[at + 1 :]]


def delete_several(rng, lines, at):
    return [*lines[:at], *lines[at + rng.randint(2, 9) :]]


def insert(rng, lines, at):
    forged = rewrite(lines[at], type="forged", event_id=str(exports.TENANT_ID))
    return [*lines[:at], forged, *lines[at:]]


def swap(rng, lines, at):
    other = at + rng.choice([1, 1, 2, 5])
    swapped = list(lines)
    swapped[at], swapped[other] = swapped[other], swapped[at]
    return swapped


def duplicate(rng, lines, at):
    return [*lines[: at + 1], lines[at], *lines[at + 1 :]]


def cut_the_line(rng, lines, at):
    return [*lines[:at], lines[at][: rng.randint(0, len(lines[at]) - 1)], *lines[at + 1 :]]


def hide_a_second_value(rng, lines, at):
    """What another program would read first, or last."""
    return [*lines[:at], lines[at].replace(b'"type":', b'"type":"files.node.purged.v1","type":', 1), *lines[at + 1 :]]


KINDS = (
    *(change, change_a_hash, change_the_number, delete, delete_several, insert, swap, duplicate, cut_the_line),
    hide_a_second_value,
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_of_a_hundred_random_tamperings_is_located(kind):
    rng = random.Random(kind.__name__)
    for _ in range(100):
        at = rng.randint(0, 100)
        tampered = kind(rng, LOG, at)
        found = check(tampered)
        assert not found.is_intact, at
        first = found.findings[0]
        assert abs(first["line"] - (at + 1)) <= 1, (at, found.findings)
        assert found.finding_count <= 4, (at, found.findings)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_tampering_is_located_between_anchors_as_well(kind):
    rng = random.Random(kind.__name__)
    entries = [number for number, line in enumerate(WHOLE[:-20]) if b'"event_id"' in line]
    for _ in range(20):
        at = rng.choice(entries)
        found = check(kind(rng, WHOLE, at), Wanted(keys=KEYS))
        assert not found.is_intact
        assert abs(found.findings[0]["line"] - (at + 1)) <= 2, (at, found.findings)


def test_an_untouched_log_is_intact_with_all_that_json_can_hold():
    found = check(WHOLE, Wanted(keys=KEYS, needs_anchors=True, head=(120, bytes.fromhex(json.loads(LOG[-1])["hash"]))))
    assert (found.findings, found.notes) == ([], [])
    assert (found.entry_count, found.anchor_count, found.head_number) == (120, 4, 120)
    plain = check(LOG)
    assert plain.is_intact
    assert plain.notes


def test_what_is_told_of_a_change_names_the_entry_and_what_differs():
    lines = [*LOG[:4], rewrite(LOG[4], address="10.9.8.7"), *LOG[5:]]
    kind = json.loads(LOG[4])["type"]
    assert check(lines).findings == [{"line": 5, "what": f"entry 5 ({kind}): its content does not give its hash"}]
    lines = [*LOG[:4], rewrite(LOG[4], hash="ab" * 32), *LOG[5:]]
    assert check(lines).findings == [{"line": 5, "what": "entry 5: its hash was altered"}]
    assert check([*LOG[:4], *LOG[7:]]).findings == [
        {"line": 5, "what": "entries 5 to 7 are missing before entry 8"},
    ]


def test_a_log_rewritten_from_somewhere_on_is_found_by_the_anchor_behind_it():
    forged = exports.entries(120, seed=2)
    assert check(forged).is_intact, "the chain alone does not tell"
    anchor_lines = [line for line in WHOLE if line.startswith(b'{"anchor"')]
    lines = [WHOLE[0]]
    for line in forged:
        lines += [
            line,
            *[one for one in anchor_lines if json.loads(one)["anchor"]["number"] == json.loads(line)["number"]],
        ]
    found = check([*lines, WHOLE[-1]], Wanted(keys=KEYS))
    assert "anchor 1" in found.findings[0]["what"]
    assert "rewritten" in found.findings[0]["what"]
    assert found.finding_count == 5


def test_a_rewritten_log_with_anchors_to_match_fails_by_their_signatures(monkeypatch):
    other = Ed25519PrivateKey.generate()
    monkeypatch.setattr(signing, "_key", lambda _: other)
    forged = exports.anchored(exports.entries(120, seed=2))
    assert "not trusted" in check(forged, Wanted(keys=KEYS)).findings[0]["what"]
    unknown = check(forged)
    assert unknown.keys == [signing.public_key().hex()]
    assert any("compare it" in note for note in unknown.notes)


def altered(line: bytes, **changes) -> bytes:
    (name, content), *_ = json.loads(line).items()
    return msgspec.json.encode({name: {**content, **changes}})


@pytest.mark.parametrize("field", ["hash", "number", "anchored_at", "signature", "index", "previous", "public_key"])
@pytest.mark.parametrize("which", [0, 1, 3])
def test_an_altered_anchor_is_located(field, which):
    at = [number for number, line in enumerate(WHOLE) if line.startswith(b'{"anchor"')][which]
    before = json.loads(WHOLE[at])["anchor"][field]
    value = before + 1 if isinstance(before, int) else "ab" * (len(before) // 2)
    found = check([*WHOLE[:at], altered(WHOLE[at], **{field: value}), *WHOLE[at + 1 :]], Wanted(keys=KEYS))
    assert at + 1 in {one["line"] for one in found.findings}, found.findings


def test_anchors_that_are_missing_and_a_cut_end_are_found():
    at = [number for number, line in enumerate(WHOLE) if line.startswith(b'{"anchor"')]
    assert "anchor 3 stands where anchor 2" in check([*WHOLE[: at[1]], *WHOLE[at[1] + 1 :]]).findings[0]["what"]
    assert "no end" in check(WHOLE[:-1]).findings[0]["what"]
    cut = [*WHOLE[:-3], WHOLE[-1]]
    assert "the end of the export" in check(cut, Wanted(keys=KEYS)).findings[0]["what"]
    assert not check([*WHOLE, LOG[0]]).is_intact
    short = check(LOG[:50], Wanted(head=(120, bytes.fromhex(json.loads(LOG[-1])["hash"]))))
    assert "entries are missing at the end" in short.findings[0]["what"]


def test_signatures_are_verified_without_a_library_just_as_with_one():
    with_library = anchors.find_verify()
    rng = random.Random(3)
    for number in range(20):
        key = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
        public, message = key.public_key().public_bytes_raw(), rng.randbytes(number * 7)
        good = key.sign(message)
        flipped = bytearray(good)
        flipped[rng.randrange(64)] ^= 1 << rng.randrange(8)
        for signature in (good, bytes(flipped)):
            assert ed25519.verify(public, message, signature) == with_library(public, message, signature)
        assert ed25519.verify(public, message, good)
        assert not ed25519.verify(public, message + b"x", good)


def run(*arguments, **more):
    # -I: nothing but the standard library, whatever is installed here; -S: no site-packages either.
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from bitvault_verify.command import main; sys.exit(main())"
    )
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(ROOT / "verify"), *map(str, arguments)],
        capture_output=True,
        timeout=120,
        check=False,
        env={"PATH": os.environ["PATH"]},
        **more,
    )


def test_the_command_needs_python_alone_and_tells_by_its_exit_code(tmp_path):
    path = tmp_path / "audit.jsonl"
    path.write_bytes(b"\n".join(WHOLE) + b"\n")
    good = run(path, "--json", "--key", signing.public_key().hex())
    assert good.returncode == 0, good.stderr
    told = json.loads(good.stdout)
    assert (told["intact"], told["entry_count"], told["anchor_count"], told["is_key_trusted"]) == (True, 120, 4, True)
    assert b"INTACT" in run("-", input=path.read_bytes()).stdout
    with gzip.open(tmp_path / "audit.jsonl.gz", "wb") as out:
        out.write(path.read_bytes().replace(b"203.0.113.7", b"203.0.113.8", 1))
    bad = run(tmp_path / "audit.jsonl.gz")
    assert bad.returncode == 1
    assert b"its content does not give its hash" in bad.stdout
    assert run(path, "--head", "nonsense").returncode == 2
    assert run(tmp_path / "missing").returncode == 2
    (tmp_path / "empty").touch()
    assert run(tmp_path / "empty").returncode == 2


def test_a_long_log_takes_no_more_memory_than_a_short_one(tmp_path):
    def peak(count: int) -> int:
        path = tmp_path / f"{count}.jsonl"
        path.write_bytes(b"\n".join(exports.anchored(exports.entries(count), every=5)))
        program = (
            "import sys, resource; sys.path.insert(0, sys.argv.pop(1)); from bitvault_verify.command import main;"
            "code = main(); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); sys.exit(code)"
        )
        done = subprocess.run(
            [sys.executable, "-I", "-c", program, str(ROOT / "verify"), str(path), "--quiet"],
            capture_output=True,
            timeout=120,
            check=True,
        )
        return int(done.stdout)

    assert peak(6_000) < peak(100) + 4 * 1024
