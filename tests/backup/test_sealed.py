"""Backups that are encrypted: nothing of them can be read, changed, cut, swapped or renamed unseen, and nothing tells what lies in them."""

import base64
import os

import pytest
from django.core.management import CommandError, call_command

from bitvault.backup import checking, manifest, sealed, sealing, taking
from bitvault.backup.directories import DirectoryTarget
from bitvault.backup.errors import BackupError, Damaged
from tests.backup.conftest import Writer, names_in
from tests.support.sending import sha256

KEY, OTHER_KEY = os.urandom(32), os.urandom(32)
CHUNK = sealing.CHUNK_BYTES
NAME = f"objects/{'a' * 32}/{'b' * 32}/m"


def in_words(*keys):
    return ",".join(base64.b64encode(key).decode() for key in keys)


def sealed_bytes(content, *, name=NAME, piece=300_000):
    pieces = (content[at : at + piece] for at in range(0, len(content), piece))
    return b"".join(sealing.seal(pieces, key=KEY, name=name))


def unsealed(body, *, key=KEY, name=NAME, piece=700_001):
    return b"".join(sealing.unseal((body[at : at + piece] for at in range(0, len(body), piece)), key=key, name=name))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_is_sealed_opens_as_it_was_and_its_size_tells_how_much_it_is(size):
    content = os.urandom(size)
    body = sealed_bytes(content)
    assert unsealed(body) == content
    assert (len(body), sealing.plain_size(len(body))) == (sealing.sealed_size(size), size)
    assert content[:64] not in body or size in {0, 1}


def flip(body, at):
    changed = bytearray(body)
    changed[at] ^= 1
    return bytes(changed)


HEAD, SEALED_CHUNK = sealing.HEAD_BYTES, CHUNK + sealing.TAG_BYTES


def swap_chunks(body):
    first, second = body[HEAD : HEAD + SEALED_CHUNK], body[HEAD + SEALED_CHUNK : HEAD + 2 * SEALED_CHUNK]
    return body[:HEAD] + second + first + body[HEAD + 2 * SEALED_CHUNK :]


@pytest.mark.parametrize(
    "harm",
    [
        lambda body: flip(body, 0),
        lambda body: flip(body, 10),
        lambda body: flip(body, HEAD + CHUNK // 2),
        lambda body: flip(body, len(body) - 1),
        lambda body: body[: HEAD + SEALED_CHUNK],  # after a whole chunk, so that no tag is cut
        lambda body: body[:-1],
        lambda body: body[:HEAD],
        lambda body: body[:5],
        lambda _: b"",
        lambda body: body + b"x",
        lambda body: body + body[HEAD:],
        swap_chunks,
    ],
)
def test_whatever_is_done_to_it_is_found(harm):
    body = sealed_bytes(os.urandom(2 * CHUNK + 5))
    with pytest.raises(Damaged):
        unsealed(harm(body))


def test_neither_another_key_nor_another_name_opens_it():
    body = sealed_bytes(b"secret")
    with pytest.raises(Damaged):
        unsealed(body, key=OTHER_KEY)
    with pytest.raises(Damaged):
        unsealed(body, name=NAME.replace("a", "c"))


def test_a_key_is_32_bytes_in_base64():
    assert sealed.parse_keys(f" {in_words(KEY)} ,{in_words(OTHER_KEY)},") == [KEY, OTHER_KEY]
    for text in ("secret", base64.b64encode(b"short").decode(), "ä"):
        with pytest.raises(BackupError, match="32 bytes"):
            sealed.parse_keys(text)


def test_another_key_wraps_the_targets_key_anew_and_the_old_one_is_of_no_use_then(target):
    opened = sealed.open_sealed(target, [KEY], writes=True)
    opened.write(NAME, [b"secret"], size_bytes=6)
    renewed = sealed.open_sealed(target, [OTHER_KEY, KEY], writes=True)
    for keys in ([OTHER_KEY], [OTHER_KEY, KEY]):
        opened = sealed.open_sealed(target, keys, writes=False)
        assert b"".join(opened.read(NAME)) == b"secret"
    assert renewed.find_sizes([NAME]) == {NAME: 6}
    assert renewed.list_names("objects") == [NAME]
    for keys, words in (([KEY], "another key"), ([], "give their key")):
        with pytest.raises(BackupError, match=words):
            sealed.open_sealed(target, keys, writes=False)
    target.write(sealed.KEY_FILE, [b"{}"], size_bytes=2)
    with pytest.raises(Damaged):
        sealed.open_sealed(target, [KEY], writes=False)


def test_plain_and_encrypted_backups_are_never_mixed(target):
    target.write("backups/20261130T000000.000000Z/manifest.json", [b"{}"], size_bytes=2)
    with pytest.raises(BackupError, match="not encrypted"):
        sealed.open_sealed(target, [KEY], writes=True)
    assert isinstance(sealed.open_sealed(target, [KEY], writes=False), DirectoryTarget)


@pytest.fixture
def encrypted(settings):
    settings.BITVAULT_BACKUP = {**settings.BITVAULT_BACKUP, "keys": in_words(KEY)}
    return settings


@pytest.mark.store
@pytest.mark.committed
def test_an_encrypted_backup_tells_nothing_and_brings_a_tenant_back(api, acme, bucket, target, encrypted):
    mia = Writer(api("mia"), "of mia")
    content = b"a secret plan that nobody may read " * 9
    mia.bring("plan.txt", content)
    mia.bring("large.bin", os.urandom(9 * CHUNK))
    call_command("backup", target.name)
    opened = sealed.open_sealed(target, [KEY], writes=False)
    taken = manifest.get(opened, None)
    assert (taken.object_count, taken.copied_count) == (2, 2)
    assert list(checking.verify(opened, taken)) == []
    files = [path for path in target.root.rglob("*") if path.is_file()]
    told = "\n".join(str(path) for path in files)
    for word in (acme.id.hex, sha256(content), "manifest", "inventory"):
        assert word not in told
    for path in files:
        body = path.read_bytes()
        assert b"secret plan" not in body
        assert b"files_node" not in body
        assert acme.slug.encode() + b'"' not in body
    again = taking.take(opened, keep=1)
    assert again.copied_count == 0, "what is there is found by its name and size"
    assert manifest.list_ids(opened) == [again.id]

    before = dict(mia.names)
    mia.bring("later.txt", b"later")
    dump = opened._seal_name(again.dumps[0].name)
    body = (target.root / dump).read_bytes()
    (target.root / dump).write_bytes(flip(body, len(body) // 2))
    with pytest.raises(CommandError, match="Nothing was changed here"):
        call_command("restore", target.name, tenant="acme", replace=True)
    assert "later.txt" in names_in(api("mia"), mia.folder_id)
    (target.root / dump).write_bytes(body)
    encrypted.BITVAULT_BACKUP = {**encrypted.BITVAULT_BACKUP, "keys": in_words(OTHER_KEY)}
    with pytest.raises(CommandError, match="another key"):
        call_command("restore", target.name, tenant="acme", replace=True)
    encrypted.BITVAULT_BACKUP = {**encrypted.BITVAULT_BACKUP, "keys": in_words(OTHER_KEY, KEY)}
    call_command("restore", target.name, tenant="acme", replace=True)
    assert names_in(api("mia"), mia.folder_id) == before
