"""Sizes and looks: on a phone, in the dark, read on every ground, found by the eye of whoever goes by keyboard."""

from importlib.resources import files

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.conftest import sign_in
from tests.journeys.browser.vault import Vault
from tests.support.world import ACME, PASSWORD

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()


def test_on_a_phone_everything_is_in_reach_and_nothing_runs_over_the_edge(phone, folder, sender):
    long = "Minutes of the extraordinary general meeting of 14 November with all annexes and signatures.pdf"
    sender.bring(long, b"x")
    sender.bring("b.txt", b"b")
    phone.open(folder)
    page = phone.page
    expect(phone.row(long).locator(".extension")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for control in page.locator("button:visible, a:visible").all():
        box = control.bounding_box()
        assert box["height"] >= 24, control.evaluate("element => element.outerHTML")

    phone.row("b.txt").get_by_role("button", name="Select b.txt").tap()
    bar = page.get_by_role("toolbar", name="Selected items")
    assert bar.bounding_box()["y"] > 700
    bar.get_by_role("button", name="Move to trash").tap()
    phone.expect_names(long)
    expect(phone.toast).to_be_in_viewport()
    page.get_by_role("button", name="New", exact=True).tap()
    page.get_by_role("menuitem", name="New folder").tap()
    page.get_by_label("Name", exact=True).fill("On the way")
    page.get_by_role("button", name="Create").tap()
    phone.expect_names("On the way", long)
    # The end of a scroll that came before is told late; it takes no menu away.
    phone.row(long).get_by_role("button", name="More actions").tap()
    page.evaluate("dispatchEvent(new Event('scroll'))")
    expect(page.get_by_role("menuitem", name="Rename")).to_be_visible()
    page.keyboard.press("Escape")
    phone.row("On the way").get_by_role("link").tap()
    expect(page.get_by_role("heading", name="On the way")).to_be_visible()
    page.get_by_role("link", name=f"Back to {folder['name']}").tap()
    phone.expect_names("On the way", long)


@pytest.mark.parametrize("width", [390, 1440])
def test_dark_is_dark_by_device_and_by_choice(visitor, signed_in, live, tmp_path, width):
    page = visitor(storage_state=signed_in, viewport={"width": width, "height": 900}, color_scheme="dark")
    page.goto(f"{live.tenant_url}/files/")
    assert lightness(page) < 0.15
    assert len(page.screenshot(path=tmp_path / "dark.png")) > 10_000
    page.goto(f"{live.tenant_url}/settings/")
    page.get_by_role("radio", name="Light").click()
    assert lightness(page) > 0.9
    page.reload()
    assert lightness(page) > 0.9
    page.get_by_role("radio", name="Device").click()
    assert lightness(page) < 0.15


def lightness(page) -> float:
    channels = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
    return sum(channels) / 765


def test_the_open_tab_is_in_sight_and_an_edge_tells_of_more(visitor, signed_in, live):
    page = visitor(storage_state=signed_in, viewport={"width": 390, "height": 844})
    page.goto(f"{live.tenant_url}/settings/")
    bar = page.locator(".tabs")
    expect(bar).to_have_attribute("data-more-ahead", "")
    assert bar.get_attribute("data-more-behind") is None
    last = bar.get_by_role("link").last
    page.goto(f"{live.tenant_url}{last.get_attribute('href')}")
    expect(bar.locator("[aria-current]")).to_be_in_viewport(ratio=0.9)
    expect(bar).to_have_attribute("data-more-behind", "")
    assert bar.get_attribute("data-more-ahead") is None


@pytest.mark.parametrize("look", ["light", "dark"])
def test_every_colour_of_text_can_be_read_on_its_ground(visitor, signed_in, live, folder, sender, look):
    """WCAG 2.2 AA, 1.4.3: 4.5 to 1, measured on what the browser computed, in both looks and at both ends of widths."""
    sender.bring("a.txt", b"a")
    for width in (390, 1440):
        page = visitor(
            storage_state=signed_in,
            viewport={"width": width, "height": 900},
            color_scheme=look,
            reduced_motion="reduce",
        )
        for path in (
            f"/files/{folder['id']}/",
            "/files/",
            "/teams/",
            "/trash/",
            "/settings/",
            "/settings/security/",
            "/settings/tokens/",
            "/docs/",
            "/nothing-of-the-kind/",
        ):
            page.goto(f"{live.tenant_url}{path}")
            assert poor_contrasts(page) == [], (path, width)
    page.context.clear_cookies()
    page.goto(f"{live.tenant_url}/sign-in/")
    assert poor_contrasts(page) == []


OPENINGS = {
    "the tray and a failed upload": "tray",
    "a toast with a row under the pointer": "toast",
    "the dialog for a name": "name",
    "the question before something is deleted": "confirm",
    "the dialog for a folder": "move",
    "the question about a taken name": "conflict",
    "the menu of a row": "menu",
    "a selection": "selection",
    "the dialog in which a node is shared": "share",
}


@pytest.fixture
def open_up(folder, sender, mkdir, disk):
    """Bring a page to where something lies over it."""
    sender.bring("a.txt", b"a")
    mkdir("Sub")

    def refuse(route) -> None:
        body = '{"code": "billing.quota_exceeded", "detail": "There is no room left for this file."}'
        route.fulfill(status=413, headers={"Content-Type": "application/problem+json"}, body=body)

    def bring(vault: Vault, what: str) -> None:
        vault.open(folder)
        page = vault.page
        match what:
            case "tray":
                page.route("**/api/v1/uploads", refuse)
                vault.drop(disk("b.txt"))
                expect(vault.upload("b.txt")).to_contain_text("There is no room left")
            case "toast":
                vault.select("a.txt")
                vault.command("Move to trash")
                expect(vault.toast).to_be_visible()
                vault.row("Sub").hover()
            case "name":
                vault.row("a.txt").focus()
                page.evaluate("document.querySelector('[data-command=\"new-folder\"]').click()")
                expect(page.get_by_label("Name", exact=True)).to_be_focused()
                vault.press("Enter")
                expect(page.locator("#name-dialog-error")).to_be_visible()
            case "confirm":
                vault.select("a.txt")
                vault.command("Move to trash")
                vault.visit("/trash/")
                vault.row("a.txt").last.get_by_role("button", name="Delete permanently").click()
                expect(page.get_by_role("dialog")).to_be_visible()
            case "move":
                vault.select("a.txt")
                vault.command("Move")
                expect(page.get_by_role("option", name="Sub")).to_be_visible()
            case "conflict":
                vault.drop(disk("a.txt"))
                expect(page.get_by_role("dialog", name="This name is taken")).to_be_visible()
            case "menu":
                vault.row("a.txt").get_by_role("button", name="More actions").click()
                expect(page.get_by_role("menuitem", name="Rename")).to_be_visible()
            case "selection":
                vault.select("a.txt")
            case "share":
                vault.row("Sub").focus()
                vault.press("Alt+Enter")
                page.get_by_role("combobox", name="Add people and groups").fill("ver")
                page.get_by_role("option", name="Vera").click()
                page.get_by_role("combobox", name="Add people and groups").fill("a")
                expect(page.get_by_role("option").first).to_be_visible()

    return bring


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("what", OPENINGS.values(), ids=OPENINGS.keys())
def test_what_lies_over_a_page_can_be_read_and_told_apart(visitor, signed_in, live, open_up, what, look):
    """The contrasts, and the rules of axe: names, roles, landmarks, order of headings, targets."""
    page = visitor(storage_state=signed_in, color_scheme=look, reduced_motion="reduce")
    open_up(Vault(page, live.tenant_url), what)
    assert poor_contrasts(page) == []
    assert faults(page) == []


@pytest.mark.parametrize(
    "path",
    [
        "/files/",
        "/teams/",
        "/shared/",
        "/shared/by-me/",
        "/trash/",
        "/conflicts/",
        "/sign-in/",
        "/nothing-of-the-kind/",
    ],
)
def test_pages_have_no_fault_that_axe_knows(visitor, signed_in, live, path):
    page = visitor(storage_state=signed_in, reduced_motion="reduce")
    page.goto(f"{live.tenant_url}{path}")
    assert faults(page) == []


@pytest.fixture(scope="module")
def steward(chromium, live):
    """The cookies of an administrator; somebody has a limit, and something stands in the log."""
    context = chromium.new_context()
    page = context.new_page()
    sign_in(page, live.tenant_url, ACME.people["adam"].email, PASSWORD)
    page.wait_for_url(f"{live.tenant_url}/files/")
    limited = live.client("adam").request("PUT", f"/quotas/user:{ACME.people['mia'].user_id}", {"limit_bytes": 2**30})
    assert limited.status_code == 200
    state = context.storage_state()
    context.close()
    return state


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/audit/", "/features/", "/roles/", "/usage/", "/usage/statements/", "/settings/retention/"]
)
def test_pages_of_administrators_can_be_read_and_have_no_fault_that_axe_knows(visitor, steward, live, path, look):
    for width in (390, 1440):
        page = visitor(
            storage_state=steward,
            viewport={"width": width, "height": 900},
            color_scheme=look,
            reduced_motion="reduce",
        )
        page.goto(f"{live.tenant_url}{path}")
        expect(
            page.locator("#usage-scope option, .audit-text, .roles-matrix, .empty, .panel-empty, .panel-row").first
        ).to_be_attached()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        assert poor_contrasts(page) == [], width
        assert faults(page) == [], width


AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def faults(page) -> list[str]:
    """Give what axe-core finds, in one line each. It is put in past the page's content policy, as a tester's tool is."""
    await_rest(page)
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": AXE})
    found = page.evaluate("tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", AXE_TAGS)
    return [
        f"{fault['id']}: {node['html'][:120]} ({node['failureSummary'].splitlines()[-1].strip()})"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


def await_rest(page) -> None:
    """Wait until nothing moves but what moves for ever: a colour that passes into another is neither."""
    page.wait_for_function(
        "() => document.getAnimations().every(one => one.playState !== 'running' || one.effect.getComputedTiming().endTime === Infinity)"
    )


def poor_contrasts(page) -> list[str]:
    await_rest(page)
    return page.evaluate(CONTRASTS)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_whoever_goes_by_keyboard_sees_where_they_are(visitor, signed_in, live, folder, sender, mkdir, look):
    """WCAG 2.2 AA, 2.4.7 and 1.4.11: each control that gets the focus wears a ring of 2 px, at 3 to 1 on its ground."""
    sender.bring("a.txt", b"a")
    mkdir("b")
    page = visitor(storage_state=signed_in, color_scheme=look, reduced_motion="reduce")
    for path in (f"/files/{folder['id']}/", "/teams/", "/trash/", "/settings/", "/settings/security/"):
        page.goto(f"{live.tenant_url}{path}")
        seen = set()
        for _ in range(40):
            page.keyboard.press("Tab")
            name, width, ratio = page.evaluate(RING)
            if name in seen or name.startswith("BODY"):
                break  # all around
            seen.add(name)
            assert width >= 2, name
            assert ratio >= 3, (name, path)
        assert len(seen) > 5, "the whole page is walked"


MEASURING = """
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const read = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => {
    const f = (c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const ratioOf = (one, other) => {
    const [a, b] = [luminance(one), luminance(other)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = read(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
"""

RING = f"""
async () => {{
  await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
  {MEASURING}
  const element = document.activeElement;
  const label = element.getAttribute('aria-label') ?? element.textContent;
  const name = `${{element.tagName}} ${{element.id}} ${{element.className}} ${{label.trim().slice(0, 40)}}`;
  const style = getComputedStyle(element);
  const width = style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth);
  return [name, width, ratioOf(read(style.outlineColor), ground(element.parentElement))];
}}
"""

CONTRASTS = f"""
() => {{
  {MEASURING}
  const poor = [];
  for (const element of document.querySelectorAll('body *')) {{
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.closest('.sr-only') || !element.checkVisibility({{opacityProperty: true}})) continue;
    const ratio = ratioOf(read(getComputedStyle(element).color), ground(element));
    if (ratio < 4.5) poor.push(`${{element.className}}: ${{element.textContent.trim().slice(0, 30)}} ${{ratio.toFixed(2)}}`);
  }}
  return poor;
}}
"""
