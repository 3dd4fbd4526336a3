"""One JupyterLab and one Chromium for all browser tests; a page for each."""

import os
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import support_jupyter
from mooring import local
from mooring.v1 import sessions_pb2_grpc
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from support_pages import data_folder

ARTIFACTS = Path(os.environ.get("MOORING_TEST_ARTIFACTS", support_jupyter.ROOT / "test-artifacts"))

# What JupyterLab and Chromium themselves print, whatever runs in them.
NOT_OURS = (
    "favicon",
    "jupyterlab.github.io",
    "net::ERR_",
    "the server responded with a status of 404",
    "Could not restore the debugger state",  # of JupyterLab's own debugger, when a kernel dies
)


def in_browser(item: pytest.Item) -> bool:
    return Path(__file__).parent in item.path.parents


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Playwright keeps an event loop running in this thread, where no other test could run one then: last.
    items.sort(key=in_browser)
    for item in filter(in_browser, items):
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.timeout(120))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = support_jupyter.chromium()
    if executable is None:
        reason = "no Chromium is installed (or name one in MOORING_CHROMIUM)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=support_jupyter.CHROMIUM_FLAGS,
            chromium_sandbox=os.getuid() != 0,
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[support_jupyter.Demo]:
    demo = support_jupyter.Demo(tmp_path_factory.mktemp("home"))
    yield demo
    demo.stop()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that fails its test on an error in the console, and leaves a picture of how it ended."""
    context = browser.new_context(viewport={"width": 1280, "height": 1600})
    page = context.new_page()
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(
            part in f"{message.text} {message.location}" for part in NOT_OURS
        ):
            errors.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{request.node.name}.png", full_page=True)
    context.close()
    assert not errors, errors


@pytest.fixture
def sessions(demo: support_jupyter.Demo) -> Iterator[sessions_pb2_grpc.SessionServiceStub]:
    """Another client of the demo's own service."""
    demo.url()
    address = local.find_or_start(data_folder(demo))
    with grpc.insecure_channel(address) as channel:
        yield sessions_pb2_grpc.SessionServiceStub(channel)
