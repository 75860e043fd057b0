"""``manage.py create_demo``: a tenant to try things in, and a file with what opens it."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.identity import demo
from bitvault.mail.api import mailbox


class Command(BaseCommand):
    """Make the demo tenant, or make sure that it is there; may be run again at any time."""

    help = (
        "Make a demo tenant with an owner and a member, and write their credentials to a file that only you can read."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, required=True, help="the file, like var/demo.json")
        parser.add_argument("--base-url", required=True, help="where programs find the REST surface")
        parser.add_argument("--browser-url", required=True, help="where a browser finds the demo tenant")
        parser.add_argument(
            "--socket-url", default="", help="where devices open sockets, like ws://127.0.0.1:8000/ws/v1/sync"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["output"]
        try:
            credentials, done = demo.ensure(demo.read(path))
        except demo.DemoTaken as error:
            raise CommandError(str(error)) from error
        content = {**credentials, "base_url": options["base_url"], "browser_url": options["browser_url"]}
        content["socket_url"] = options["socket_url"]
        # What shows the mails that people of this stack are sent; empty where they leave for a mail server.
        content["mailbox_url"] = f"{options['base_url']}{mailbox.list_path()}" if mailbox.is_open() else ""
        order = (
            "base_url",
            "browser_url",
            "socket_url",
            "tenant",
            "email",
            "password",
            "token",
            "member",
            "mailbox_url",
        )
        demo.write(path, {key: content[key] for key in order})
        self.stdout.write(done)
