"""``manage.py config``: see and change settings while everything runs."""

import json
import sys
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.admin_platform import configuring
from bitvault.kernel import config
from bitvault.kernel.errors import BitVaultError


class Command(BaseCommand):
    """Change settings from a terminal."""

    help = "List settings, show one with its history, set it, and take that back. Secrets are read from standard input and never shown."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="all settings, what holds, and what is amiss").add_argument(
            "--json", action="store_true"
        )
        verbs.add_parser("show", help="one setting, what it takes, and its history").add_argument("key")
        setting = verbs.add_parser("set", help="a value as JSON; a text may stand without quotation marks")
        setting.add_argument("key")
        setting.add_argument("value", nargs="?", help="left out: read from standard input, as every secret is")
        resetting = verbs.add_parser("reset", help="the default again")
        resetting.add_argument("key")
        undoing = verbs.add_parser("undo", help="as it was before the last change, or in a version")
        undoing.add_argument("key")
        undoing.add_argument("--to", type=int, help="number of a version; 0 is the default")
        for changing in (setting, resetting, undoing):
            changing.add_argument("--note", default="", help="why; it stays in the history")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb']}")(options)
        except BitVaultError as error:
            raise CommandError(error.detail) from error

    def _list(self, options: dict[str, Any]) -> None:
        found = configuring.list_statuses()
        if options["json"]:
            self.stdout.write(json.dumps(msgspec.to_builtins(found), indent=2, ensure_ascii=False))
            return
        for status in found:
            holds = ("set" if status.is_set else "default") if status.is_secret else json.dumps(status.value)
            source = "" if status.is_set else "  (default)"
            troubles = f"  [{', '.join(status.troubles)}]" if status.troubles else ""
            self.stdout.write(f"{status.key} = {holds}{source}{troubles}")

    def _show(self, options: dict[str, Any]) -> None:
        status = configuring.get_status(options["key"])
        self.stdout.write(json.dumps(msgspec.to_builtins(status), indent=2, ensure_ascii=False))
        for version in configuring.list_versions(options["key"]):
            value = (
                "a secret"
                if status.is_secret and version.is_set
                else json.dumps(version.value)
                if version.is_set
                else "default"
            )
            who = version.changed_by or "manage.py"
            self.stdout.write(f"{version.version}. {version.changed_at:%Y-%m-%d %H:%M} {who}: {value} {version.note}")

    def _set(self, options: dict[str, Any]) -> None:
        key, text = options["key"], options["value"]
        setting = config.find(key)
        is_secret = setting is not None and setting.is_secret
        if is_secret and text is not None:
            raise CommandError("Secrets are read from standard input: arguments stand in the shell's history.")
        if text is None:
            text = sys.stdin.readline().rstrip("\n")
        self._tell(key, configuring.set_value(key, text if is_secret else _read(text), by=None, note=options["note"]))

    def _reset(self, options: dict[str, Any]) -> None:
        self._tell(options["key"], configuring.set_value(options["key"], None, by=None, note=options["note"]))

    def _undo(self, options: dict[str, Any]) -> None:
        version = configuring.undo(options["key"], to=options["to"], by=None, note=options["note"])
        self._tell(options["key"], version)

    def _tell(self, key: str, version: int) -> None:
        self.stdout.write(f"{key} is in version {version}. It holds everywhere within a second.")


def _read(text: str) -> Any:
    """Read a value as JSON; what is none is the text itself."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return text if value is None else value
