"""The command: ``bitvault-verify audit.jsonl``."""

import argparse
import dataclasses
import gzip
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from bitvault_verify.bucket import open_bucket
from bitvault_verify.checking import Report, Told, Wanted, check
from bitvault_verify.copies import Load, load_files
from bitvault_verify.lines import HASH_BYTES, Unfit, read_bytes

INTACT, TAMPERED, UNUSABLE = 0, 1, 2
"""Exit codes: the log is as it was written; it is not; there is nothing to check, or the arguments are wrong."""


def main(arguments: list[str] | None = None) -> int:
    """Check the export that is named, print what was found, and give the exit code."""
    options = _parser().parse_args(arguments)
    try:
        with _open(options.export) as (lines, size_bytes):
            told = _teller(size_bytes) if sys.stderr.isatty() and not options.quiet else _silent
            report = check(lines, _wanted(options), told)
    except (OSError, EOFError, argparse.ArgumentTypeError) as error:
        print(f"bitvault-verify: {error}", file=sys.stderr)
        return UNUSABLE
    if report.entry_count == 0 and report.is_intact and report.tenant_id is None:
        print("bitvault-verify: there is no entry in it", file=sys.stderr)
        return UNUSABLE
    if options.json:
        print(json.dumps({"intact": report.is_intact, **dataclasses.asdict(report)}))
    elif not options.quiet:
        _print(report)
    return INTACT if report.is_intact else TAMPERED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bitvault-verify",
        description="Check an export of a BitVault audit log: the whole log as JSON lines, with its anchors.",
        epilog="Exit codes: 0 intact, 1 tampered with, 2 nothing could be checked.",
    )
    parser.add_argument("export", help="a file, also compressed by gzip; - for standard input")
    parser.add_argument(
        "--key", action="append", default=[], help="a public key in hexadecimal that you trust; may be repeated"
    )
    parser.add_argument("--head", help="number:hash of an entry, as noted from the page of the log")
    parser.add_argument(
        "--require-anchors", action="store_true", help="a log without anchors is taken for tampered with"
    )
    parser.add_argument(
        "--anchors",
        metavar="PLACE",
        help="where anchors were locked away: s3://bucket/prefix (keys from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY),"
        " or a directory or file",
    )
    parser.add_argument("--endpoint", default="", metavar="URL", help="the S3 store of that bucket, if it is not AWS")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--quiet", action="store_true", help="print nothing; the exit code tells")
    return parser


def _wanted(options: argparse.Namespace) -> Wanted:
    try:
        keys = frozenset(read_bytes(key.lower(), HASH_BYTES) for key in options.key)
        head = None
        if options.head:
            number, _, digest = options.head.partition(":")
            head = int(number), read_bytes(digest.lower(), HASH_BYTES)
    except (Unfit, ValueError) as error:
        raise argparse.ArgumentTypeError("--key is 64 hexadecimal digits, --head is number:hash") from error
    load: Load | None = None
    if options.anchors and options.anchors.startswith("s3://"):
        load = open_bucket(options.anchors, options.endpoint).load
    elif options.anchors:
        load = load_files(options.anchors)
    return Wanted(keys=keys, head=head, needs_anchors=options.require_anchors, load_copies=load)


@contextmanager
def _open(name: str) -> Iterator[tuple[IO[bytes], int]]:
    """Open an export; gives its lines and its size in bytes, 0 where that is not known."""
    if name == "-":
        yield sys.stdin.buffer, 0
    elif name.endswith(".gz"):
        with gzip.open(name) as lines:
            yield lines, 0  # type: ignore[misc] # a GzipFile reads bytes
    else:
        with open(name, "rb", buffering=1024 * 1024) as lines:  # noqa: PTH123 - no other room for paths
            yield lines, os.fstat(lines.fileno()).st_size


def _silent(line_count: int, size_bytes: int) -> None:
    """Tell nothing."""


def _teller(total_bytes: int) -> Told:
    def tell(line_count: int, size_bytes: int) -> None:
        share = f" {size_bytes * 100 // total_bytes} %" if total_bytes else ""
        print(f"\r{line_count:,} lines{share}", end="", file=sys.stderr, flush=True)

    return tell


def _print(report: Report) -> None:
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    for finding in report.findings:
        print(f"line {finding['line']}: {finding['what']}")
    if report.finding_count > len(report.findings):
        print(f"… and {report.finding_count - len(report.findings)} more")
    print(f"{report.entry_count:,} entries, {report.anchor_count:,} anchors, {report.seconds} s")
    if report.last_anchored_at:
        print(f"last anchor: {report.last_anchored_at}, of entry {report.last_anchor_number}")
    if report.locked_count is not None:
        print(f"locked away: {report.locked_count:,} anchors, the same up to entry {report.locked_number}")
    if report.head_hash:
        print(f"last entry: {report.head_number}:{report.head_hash}")
    for key in report.keys:
        print(f"signed with: {key}{'' if report.is_key_trusted else ' (from the export itself)'}")
    for note in report.notes:
        print(f"note: {note}")
    print("INTACT" if report.is_intact else f"TAMPERED WITH: {report.finding_count} findings")
