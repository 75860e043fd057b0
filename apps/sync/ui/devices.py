"""The devices of a person, in the settings: what is registered, and how far each is. Ending one goes over REST."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.sync import api
from apps.sync.dtos import Device
from bitvault.web.pages import MemberPage, PersonRequest

_PHONES = ("ios", "android")
_PLATFORMS = {
    "linux": "Linux",
    "macos": "macOS",
    "windows": "Windows",
    "ios": "iOS",
    "android": "Android",
    "cli": _("Command line"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A device as the page shows it."""

    device: Device
    platform: str
    behind: str
    """How many changes it has not taken yet; empty when it has all."""

    @property
    def phone(self) -> bool:
        """Whether it is carried about."""
        return self.device.platform.lower() in _PHONES


class Devices(MemberPage):
    """What keeps a copy of the person's files."""

    section = "settings"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show them, newest first."""
        shown = api.open_devices(actor=request.actor)
        lines = [to_line(device, shown.head_seq) for device in shown.items]
        return render(request, "sync/devices.html", {"tab": "devices", "lines": lines})


def to_line(device: Device, head_seq: int) -> Line:
    """Give a device with how far it is, in words."""
    count = max(head_seq - device.seq, 0)
    behind = ngettext("%(count)s change behind", "%(count)s changes behind", count) % {"count": count} if count else ""
    return Line(device, str(_PLATFORMS.get(device.platform.lower(), device.platform)), behind)
