"""Exports as BitVault writes them, made with its own chain and signatures and without its database."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from apps.admin_platform import chain, dtos, signing

TENANT_ID = UUID(int=7)
BEGUN = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
TEXTS = ("Łódź ✓ 𝄞", 'quote " and \\ back', "line\nbreak\ttab", "\u2028 \x7f \x01", "plain", "", "</script>&amp;é")


def entries(count: int, seed: int = 1) -> list[bytes]:
    """Give the lines of a log."""
    rng, digest, lines = random.Random(seed), chain.FIRST, []
    for number in range(1, count + 1):
        facts = {
            "number": number,
            "seq": rng.choice([None, number * 3]),
            "event_id": UUID(int=rng.getrandbits(128)),
            "type": rng.choice(["files.folder.created.v1", "access.denied", "billing.usage.corrected.v1"]),
            "occurred_at": BEGUN + timedelta(seconds=number * rng.choice([1, 1, 1.5])),
            "actor_id": rng.choice([None, UUID(int=rng.getrandbits(128))]),
            "node_id": rng.choice([None, UUID(int=rng.getrandbits(128))]),
            "address": rng.choice(["", "203.0.113.7"]),
            "device_id": None,
            "request_id": f"{rng.getrandbits(64):x}",
            "payload": {
                "name": rng.choice(TEXTS),
                "z": [1, None, True, {"b": 2**53 + 1, "a": rng.choice(TEXTS)}],
                rng.choice(TEXTS): rng.choice([1, -5, 1e16, 0.1, 1.0, 1.5e-9, "x"]),
            },
        }
        previous, digest = digest, chain.next_hash(digest, facts)
        lines.append(msgspec.json.encode(dtos.AuditEntry(**facts, previous_hash=previous.hex(), hash=digest.hex())))
    return lines


def anchored(lines: list[bytes], every: int = 25, last: int | None = None) -> list[bytes]:
    """Give the whole export: anchors after every so many entries, up to ``last``, and the signed end."""
    found, previous = [msgspec.json.encode({"export": {"tenant_id": TENANT_ID}})], chain.FIRST
    key, index = signing.public_key(), 0
    number, digest = 0, chain.FIRST.hex()
    for line in lines:
        found.append(line)
        entry = msgspec.json.decode(line)
        number, digest = entry["number"], entry["hash"]
        if number % every or number > (last or number):
            continue
        index += 1
        facts = {
            "index": index,
            "number": number,
            "hash": digest,
            "anchored_at": BEGUN + timedelta(minutes=5 * index),
            "previous": previous.hex(),
            "public_key": key.hex(),
        }
        message = signing.message_of(signing.ANCHOR_DOMAIN, {**facts, "tenant_id": TENANT_ID})
        signature = signing.sign(message)
        previous = signing.mark_of(message, signature)
        found.append(msgspec.json.encode({"anchor": dtos.AuditAnchor(**facts, signature=signature.hex())}))
    end = {"number": number, "hash": digest, "exported_at": BEGUN + timedelta(days=1), "public_key": key.hex()}
    message = signing.message_of(signing.END_DOMAIN, {**end, "tenant_id": TENANT_ID})
    found.append(msgspec.json.encode({"end": {**end, "signature": signing.sign(message).hex()}}))
    return found
