"""What an analyst does, in a real browser: log in, run, see the peak, log out."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from fourlep.facility.embedded.control import Facility
from servers.hub_user import token_of

pytestmark = [
    pytest.mark.servers,
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.xdist_group("facility"),
]

#: No sandbox for root; no connections of Chromium's own.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: JupyterLab's Dask panel.
DASK_TAB = 'li[title*="Dask"], .lm-TabBar-tab[data-id="dask-dashboard-launcher"]'
#: Milliseconds; a busy machine is slow, not broken.
PATIENCE_MS = 180_000
#: For the whole notebook: its workers compile the kernels where nobody has before.
NOTEBOOK_MS = 600_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("Chromium is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


def logged_in(browser: Browser, facility: Facility, user: str) -> Page:
    page = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{facility.url}/hub/login")
    page.fill("#username_input", user)
    page.fill("#password_input", facility.password_file.read_text().strip())
    page.click("#login_submit")
    page.wait_for_url("**/hub/home")
    return page


def test_an_analyst_logs_in_runs_the_analysis_and_logs_out(
    browser: Browser, facility: Facility, shown: Path
) -> None:
    page = logged_in(browser, facility, "analyst")
    try:
        analyse(browser, page, facility, shown)
    except (AssertionError, PlaywrightTimeoutError):
        page.screenshot(path=shown / "failed.png")
        raise
    wait_until_culled(facility)


def analyse(browser: Browser, page: Page, facility: Facility, shown: Path) -> None:
    expect(page.locator("#facility-state")).to_contain_text("Dask Gateway")
    page.screenshot(path=shown / "1-home.png")
    start_server(page, shown)
    open_full_run(page, facility)
    run_all(page)
    dashboard = dashboard_of(page)
    look_at_dashboard(page, dashboard, facility, shown)
    refuse_others(browser, dashboard, facility)
    expect(page.locator(".jp-OutputArea-output img").first).to_be_visible(timeout=NOTEBOOK_MS)
    page.locator(".jp-OutputArea-output img").first.scroll_into_view_if_needed()
    page.screenshot(path=shown / "5-plot.png")
    log_out(page, facility, shown)


@pytest.mark.parametrize("page", ["login", "nothing"])
def test_a_small_telephone_shows_pages_from_edge_to_edge(
    browser: Browser, facility: Facility, page: str
) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 640})
    shown = context.new_page()
    shown.goto(f"{facility.url}/hub/{page}")
    assert shown.evaluate("document.documentElement.scrollWidth") <= 320
    context.close()


def test_a_page_that_is_not_there_leads_home(browser: Browser, facility: Facility) -> None:
    context = browser.new_context()
    shown = context.new_page()
    shown.goto(f"{facility.url}/hub/nothing")
    expect(shown.locator("h1")).to_have_text("404")
    expect(shown.get_by_text("Home", exact=True).last).to_have_attribute("href", "/hub/home")
    context.close()


def test_the_dask_panel_gives_a_notebook_a_cluster(
    browser: Browser, facility: Facility, shown: Path
) -> None:
    page = logged_in(browser, facility, "second")
    try:
        start_server(page, shown, user="second")
        page.click('.jp-LauncherCard[data-category="Notebook"]')
        page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell")
        page.click(DASK_TAB)
        page.locator("#dask-dashboard-launcher").get_by_text("NEW", exact=True).click()
        cluster = page.locator(".dask-ClusterListingItem").first
        expect(cluster).to_contain_text("Number of Workers: 0", timeout=PATIENCE_MS)
        cluster.locator(".dask-ClusterListingItem-scale").click()
        page.locator(".jp-Dialog .dask-ScalingInput").first.fill("1")
        page.click(".jp-Dialog-button.jp-mod-accept")
        expect(cluster).to_contain_text("Number of Workers: 1", timeout=PATIENCE_MS)
        cluster.locator(".dask-ClusterListingItem-code").click()
        run_all(page)
        page.screenshot(path=shown / "7-panel.png")
        output = page.locator(".jp-OutputArea-output").first
        expect(output).to_contain_text("Connection method", timeout=PATIENCE_MS)
        cluster.locator(".dask-ClusterListingItem-stop").click()
        expect(page.locator(".dask-ClusterListingItem")).to_have_count(0, timeout=PATIENCE_MS)
    except (AssertionError, PlaywrightTimeoutError):
        page.screenshot(path=shown / "failed-panel.png")
        raise
    page.goto(f"{facility.url}/hub/logout")
    page.context.close()


def start_server(page: Page, shown: Path, *, user: str = "analyst") -> None:
    page.click("#start")
    page.wait_for_selector("#profiles, .jp-Launcher, #jupyterlab-splash")
    if page.locator("#profiles").count():
        page.screenshot(path=shown / "2-profiles.png")
        page.check('input[value="small"]')
        page.click('#spawn_form button[type="submit"]')
    page.wait_for_url(f"**/user/{user}/lab**")
    page.wait_for_selector("#jp-main-dock-panel")


def open_full_run(page: Page, facility: Facility) -> None:
    page.goto(f"{facility.url}/user/analyst/lab/tree/notebooks/02_full_run.ipynb?reset")
    page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell")
    page.wait_for_selector('.jp-Toolbar-kernelName:has-text("Python 3")')
    page.wait_for_selector('[data-status="idle"], .jp-Notebook-ExecutionIndicator')


def run_all(page: Page) -> None:
    """Run the notebook; again if JupyterLab took the click before the kernel was there."""
    begun = page.locator('.jp-InputPrompt:has-text("[*]"), .jp-InputPrompt:has-text("[1]")').first
    for _ in range(10):
        page.locator(".jp-NotebookPanel .jp-CodeCell").first.click()
        page.click('.lm-MenuBar-itemLabel:text-is("Run")')
        page.click('.lm-Menu-itemLabel:text-is("Run All Cells")')
        try:
            begun.wait_for(state="attached", timeout=PATIENCE_MS / 10)
        except PlaywrightTimeoutError:
            continue
        return
    raise AssertionError("no cell was run")


def dashboard_of(page: Page) -> str:
    link = page.locator('a[href*="/proxy/dask-gateway/clusters/"]').first
    link.wait_for(state="attached")
    found = link.get_attribute("href")
    assert found is not None
    return found


def look_at_dashboard(page: Page, address: str, facility: Facility, shown: Path) -> None:
    """Both the page itself and JupyterLab's Dask panel show the cluster to its owner."""
    tab = page.context.new_page()
    tab.goto(facility.url + address)
    tab.wait_for_selector(
        ".bk-Canvas, .bk-Figure, bk-figure", state="attached", timeout=PATIENCE_MS
    )
    tab.wait_for_load_state("networkidle")
    tab.screenshot(path=shown / "3-dashboard.png")
    tab.close()
    page.click(DASK_TAB)
    field = page.locator(".dask-DaskDashboardLauncher input").first
    field.fill(address)
    field.press("Enter")
    expect(page.locator(".dask-DashboardListing-item button").first).to_be_enabled(
        timeout=PATIENCE_MS
    )
    page.screenshot(path=shown / "4-dask-panel.png")


def refuse_others(browser: Browser, address: str, facility: Facility) -> None:
    nobody = requests.get(facility.url + address, timeout=30, allow_redirects=False)
    assert nobody.status_code in {302, 403}
    direct = address[address.index("/clusters/") :]
    gateway = f"http://127.0.0.1:{facility.run.ports.gateway}/services/dask-gateway{direct}"
    assert requests.get(gateway, timeout=30).status_code == 403
    public = f"{facility.url}/services/dask-gateway{direct}"
    assert requests.get(public, timeout=30).status_code == 403
    second = logged_in(browser, facility, "second")
    answer = second.goto(facility.url + address)
    assert answer is not None
    assert answer.status == 403
    second.context.close()


def log_out(page: Page, facility: Facility, shown: Path) -> None:
    page.goto(f"{facility.url}/hub/logout")
    page.goto(f"{facility.url}/hub/home")
    page.wait_for_selector("#username_input")
    page.screenshot(path=shown / "6-logged-out.png")
    page.context.close()


def wait_until_culled(facility: Facility) -> None:
    token = token_of(facility.url, "analyst", facility.password_file)
    deadline = time.monotonic() + 240
    while True:
        model = requests.get(
            f"{facility.url}/hub/api/users/analyst",
            headers={"Authorization": f"token {token}"},
            timeout=30,
        ).json()
        if not model["servers"]:
            return
        assert time.monotonic() < deadline, "the idle server was not culled"
        time.sleep(2)
