"""What modules put into the frame around every page of a member: sections, parts, assets, settings, entries of menus, the details panel.

A module registers in ``apps/<module>/ui/shell.py``, which its ``AppConfig.ready`` imports. The frame names none of them: it asks here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar

from django.http import HttpRequest

from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import ProgrammingError
from bitvault.kernel.permissions import Permission

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Judge = Callable[[Actor], bool]
Slot = Literal["banner", "top", "rail", "overlay", "folder", "heading", "share", "missing"]

BAR_ROOM = 3
"""Sections that stand in the bar of a phone beside "More": four can be told apart and hit by a thumb on 320 px."""


class AlreadyRegistered(ProgrammingError):
    """Two modules want the same key."""


def everybody(actor: Actor) -> bool:
    """Tell that it is for guests too."""
    return True


def members(actor: Actor) -> bool:
    """Tell whether somebody belongs to the tenant: what guests have no use for is not shown to them."""
    return not actor.is_guest


def allowed(*permissions: Permission) -> Judge:
    """Make the judge of an entry for those whose role has one of these permissions."""
    return lambda actor: actor.may(*permissions)


class _Entry(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def order(self) -> int: ...
    @property
    def visible_to(self) -> Judge: ...


E = TypeVar("E", bound=_Entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """An entry of the rail, for members unless it says otherwise.

    A page says with ``section`` in its context, and ``data-section`` on ``main``, where it belongs.
    """

    key: str
    label: "StrOrPromise"
    icon: str
    href: str
    order: int
    administration: bool = False
    """Whether it stands below the heading "Administration"; the order puts these last."""
    visible_to: Judge = members
    counter: bool = False
    """Whether a number stands beside it, which the module's script gives with ``setCount`` of ``js/sections.js``."""
    hidden_at_zero: bool = False
    """Whether it is shown only while its counter is not zero, and on its own page."""
    template: str = ""
    """What stands below it on wide screens."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Further ``data-`` attributes of the link, for the module's script."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A template that is included by its slot.

    The frame includes ``banner`` above everything, ``top`` in the top bar, ``rail`` at the foot of the rail and ``overlay`` at the end of
    the page. The page of a folder includes ``folder`` beside its commands and ``heading`` above its list, the dialog in which a node is
    shared ``share`` as sections of its own, and the page that stands where there is no such node, or none for the reader, ``missing``
    with its ``node_id``.
    """

    key: str
    slot: Slot
    template: str
    order: int
    visible_to: Judge = everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsTab:
    """A page of the settings; its template extends ``settings.html`` and its context says ``tab``."""

    key: str
    label: "StrOrPromise"
    icon: str
    href: str
    order: int
    visible_to: Judge = everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountItem:
    """An entry of the account menu: a link, or a form that is posted. ``leaves``: the link leads to another host."""

    key: str
    label: "StrOrPromise"
    icon: str
    href: str
    order: int
    posts: bool = False
    leaves: bool = False
    visible_to: Judge = everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAction:
    """An entry in the menu of a row. Its module hears ``bitvault:command`` with ``{command, entries}`` on the document."""

    key: str
    label: "StrOrPromise"
    icon: str
    group: int
    """Entries of one group stand together; a line parts groups."""
    order: int
    kinds: tuple[Literal["file", "folder"], ...] = ("file", "folder")
    """Of the chosen nodes at least one is of these kinds."""
    single: bool = False
    """Whether exactly one node is chosen."""
    writes: bool = False
    """Whether it is offered only where the reader may change something."""
    shortcut: str = ""
    """As it is shown; ``Alt+Enter`` and the like also work on the row that has the focus."""
    in_toolbar: bool = False
    """Whether it also stands in the bar that is shown while rows are selected."""
    danger: bool = False
    visible_to: Judge = everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class Assets:
    """Styles and scripts (ES modules) of a module, by their static paths; every page of a member loads them once."""

    key: str
    order: int
    styles: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    visible_to: Judge = everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailsTab:
    """A tab of the panel that tells of the chosen nodes; its sections name it."""

    key: str
    label: "StrOrPromise"
    order: int
    visible_to: Judge = everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailsSection:
    """A section of the panel that tells of the chosen nodes: ``href`` answers ``?ids=<uuid>,…`` with a fragment.

    An empty answer (204) hides the section. A fragment that has ``data-again="<ms>"`` is asked for again after that time.
    """

    key: str
    tab: str
    href: str
    order: int
    label: "StrOrPromise" = ""
    """The heading; a section without one stands by itself."""
    kinds: tuple[Literal["file", "folder"], ...] = ("file", "folder")
    """Of one chosen node, the kind that it is asked for."""
    many: bool = False
    """Whether it also tells of several nodes at once."""
    visible_to: Judge = everybody


@dataclass(frozen=True, slots=True)
class ShownTab:
    """A tab with the sections that its reader sees."""

    tab: DetailsTab
    sections: list[DetailsSection]


class Registry(Generic[E]):
    """Entries of one kind, in the order that they name."""

    def __init__(self) -> None:
        self._entries: dict[str, E] = {}

    def add(self, entry: E) -> None:
        """Take an entry.

        :raises AlreadyRegistered: another one has its key.
        """
        if entry.key in self._entries:
            raise AlreadyRegistered(f"{type(entry).__name__} {entry.key} is registered twice")
        self._entries[entry.key] = entry

    def remove(self, key: str) -> None:
        """Drop an entry."""
        del self._entries[key]

    def all(self) -> list[E]:
        """Give every entry."""
        return sorted(self._entries.values(), key=lambda entry: (entry.order, entry.key))

    def of(self, actor: Actor | None) -> list[E]:
        """Give the entries that an actor sees; nobody sees none."""
        return [] if actor is None else [entry for entry in self.all() if entry.visible_to(actor)]


sections: Registry[Section] = Registry()
parts: Registry[Part] = Registry()
settings_tabs: Registry[SettingsTab] = Registry()
account_items: Registry[AccountItem] = Registry()
node_actions: Registry[NodeAction] = Registry()
assets: Registry[Assets] = Registry()
details_tabs: Registry[DetailsTab] = Registry()
details_sections: Registry[DetailsSection] = Registry()

_REGISTRIES: dict[type, Registry[Any]] = {
    Section: sections,
    Part: parts,
    SettingsTab: settings_tabs,
    AccountItem: account_items,
    NodeAction: node_actions,
    Assets: assets,
    DetailsTab: details_tabs,
    DetailsSection: details_sections,
}


def register(
    *entries: Section | Part | SettingsTab | AccountItem | NodeAction | Assets | DetailsTab | DetailsSection,
) -> None:
    """Put entries of a module into the frame.

    :raises AlreadyRegistered: an entry of this kind has the same key.
    """
    for entry in entries:
        _REGISTRIES[type(entry)].add(entry)


class Frame:
    """What templates ask of the frame for one request; nothing is worked out that no template asks for."""

    def __init__(self, request: HttpRequest) -> None:
        self._actor: Actor | None = getattr(request, "actor", None)

    @property
    def sections(self) -> list[Section]:
        """Entries of the rail."""
        return sections.of(self._actor)

    @property
    def bar_keys(self) -> set[str]:
        """Keys of the sections that the bar of a phone has room for; the others are in its menu "More"."""
        lasting = [entry.key for entry in self.sections if not entry.hidden_at_zero]
        return set(lasting[:BAR_ROOM])

    @property
    def settings_tabs(self) -> list[SettingsTab]:
        """Pages of the settings."""
        return settings_tabs.of(self._actor)

    @property
    def account_items(self) -> list[AccountItem]:
        """Entries of the account menu."""
        return account_items.of(self._actor)

    @property
    def node_actions(self) -> list[NodeAction]:
        """Entries of the menu of a row, group by group."""
        return sorted(node_actions.of(self._actor), key=lambda entry: (entry.group, entry.order, entry.key))

    @property
    def details_tabs(self) -> list[ShownTab]:
        """Tabs of the details panel with their sections; a tab without any is left out."""
        found = details_sections.of(self._actor)
        tabs = [ShownTab(tab, [one for one in found if one.tab == tab.key]) for tab in details_tabs.of(self._actor)]
        return [shown for shown in tabs if shown.sections]

    @property
    def styles(self) -> list[str]:
        """Static paths of the modules' styles."""
        return [path for entry in assets.of(self._actor) for path in entry.styles]

    @property
    def scripts(self) -> list[str]:
        """Static paths of the modules' scripts."""
        return [path for entry in assets.of(self._actor) for path in entry.scripts]

    @property
    def banners(self) -> list[str]:
        """Templates above everything."""
        return self._templates("banner")

    @property
    def top(self) -> list[str]:
        """Templates of the top bar."""
        return self._templates("top")

    @property
    def rail(self) -> list[str]:
        """Templates at the foot of the rail."""
        return self._templates("rail")

    @property
    def overlays(self) -> list[str]:
        """Templates of dialogs and trays."""
        return self._templates("overlay")

    @property
    def folder_commands(self) -> list[str]:
        """Templates beside the commands of a folder's page."""
        return self._templates("folder")

    @property
    def folder_headings(self) -> list[str]:
        """Templates above the list of a folder."""
        return self._templates("heading")

    @property
    def share_sections(self) -> list[str]:
        """Templates of the dialog in which a node is shared."""
        return self._templates("share")

    @property
    def missing(self) -> list[str]:
        """Templates of the page that stands where a node cannot be opened."""
        return self._templates("missing")

    def _templates(self, slot: Slot) -> list[str]:
        return _templates_of(slot, parts.of(self._actor))


def _templates_of(slot: Slot, found: Iterable[Part]) -> list[str]:
    return [part.template for part in found if part.slot == slot]
