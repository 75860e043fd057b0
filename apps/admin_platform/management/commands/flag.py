"""``manage.py flag``: see and decide feature flags."""

import json
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.admin_platform import flagging
from apps.admin_platform.flag_rules import FlagState, Rule
from bitvault.kernel import flags
from bitvault.kernel.errors import BitVaultError
from bitvault.kernel.flags import Value

CONDITIONS = ("environments", "tenants", "plans", "roles")


class Command(BaseCommand):
    """Decide feature flags from a terminal."""

    help = "List feature flags, show one with its history, set it for all or for some, and take that back."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="all flags, what holds, and those that are unknown, unread or past their end")
        verbs.add_parser("show", help="one flag and its history").add_argument("key")
        setting = verbs.add_parser("set", help="a value for all, or with conditions for some: a rule before the others")
        setting.add_argument("key")
        setting.add_argument("value")
        for name in CONDITIONS:
            setting.add_argument(f"--{name.removesuffix('s')}", dest=name, action="append", default=[])
        setting.add_argument("--percent", type=float, default=100, help="for this share, always the same ones")
        setting.add_argument("--per", choices=("person", "tenant"), default="person", help="a share of whom")
        setting.add_argument("--force", action="store_true", help="also for vaults that have chosen otherwise")
        resetting = verbs.add_parser("reset", help="the default of the code again, without rules")
        resetting.add_argument("key")
        undoing = verbs.add_parser("undo", help="as it was before the last change, or in a version")
        undoing.add_argument("key")
        undoing.add_argument("--to", type=int, help="number of a version; 0 is the default of the code")
        for changing in (setting, resetting, undoing):
            changing.add_argument("--note", default="", help="why; it stays in the history")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb']}")(options)
        except BitVaultError as error:
            facts = ", ".join(f"{name}: {value}" for name, value in error.facts.items())
            raise CommandError(f"{error.detail}{f' ({facts})' if facts else ''}") from error

    def _list(self, options: dict[str, Any]) -> None:
        for status in flagging.list_statuses():
            value = status.default if status.value is None else status.value
            rules = f", {len(status.rules)} rules" if status.rules else ""
            troubles = f"  [{', '.join(status.troubles)}]" if status.troubles else ""
            self.stdout.write(f"{status.key} = {json.dumps(value)}{rules}{troubles}")

    def _show(self, options: dict[str, Any]) -> None:
        status = next((one for one in flagging.list_statuses() if one.key == options["key"]), None)
        if status is None:
            raise CommandError("There is no such feature")
        self.stdout.write(json.dumps(msgspec.to_builtins(status), indent=2, ensure_ascii=False))
        for version in flagging.list_versions(options["key"]):
            decided = json.dumps({"value": version.value, "rules": version.rules, "is_forced": version.is_forced})
            who = version.changed_by or "manage.py"
            self.stdout.write(f"{version.version}. {version.changed_at:%Y-%m-%d %H:%M} {who}: {decided} {version.note}")

    def _set(self, options: dict[str, Any]) -> None:
        key, value = options["key"], _read(options["key"], options["value"])
        before = flagging.find_state(key)
        is_forced = before.is_forced or options["force"]
        conditions = {name: options[name] for name in CONDITIONS if options[name]}
        if options["percent"] != 100:  # noqa: PLR2004 - all of them
            conditions |= {"percent": options["percent"], "per": options["per"]}
        if not conditions:
            state = FlagState(value, before.rules, is_forced)
        else:
            try:
                rule = msgspec.convert({"value": value, **conditions}, Rule)
            except msgspec.ValidationError as error:
                raise CommandError(str(error)) from error
            same = {"value": rule.value, "percent": rule.percent}
            # The same people at another value or share: that rule is replaced, not hidden.
            others = [one for one in before.rules if msgspec.structs.replace(one, **same) != rule]
            state = FlagState(before.value, (rule, *others), is_forced)
        self._tell(key, flagging.set_state(key, state, by=None, note=options["note"]))

    def _reset(self, options: dict[str, Any]) -> None:
        self._tell(options["key"], flagging.set_state(options["key"], FlagState(), by=None, note=options["note"]))

    def _undo(self, options: dict[str, Any]) -> None:
        version = flagging.undo(options["key"], to=options["to"], by=None, note=options["note"])
        self._tell(options["key"], version)

    def _tell(self, key: str, version: int) -> None:
        self.stdout.write(f"{key} is in version {version}. It holds everywhere within a second.")


def _read(key: str, text: str) -> Value:
    """Read a value as the flag's type has it: true, 25, or a text as it stands."""
    flag = flags.find(key)
    if flag is not None and flag.kind in ("boolean", "number"):
        words = {"on": True, "off": False, "true": True, "false": False}
        if flag.kind == "boolean" and text.lower() in words:
            return words[text.lower()]
        if flag.kind == "number" and text.lstrip("-").isdecimal():
            return int(text)
    return text
