"""One JupyterLab and one Chromium for all browser tests; a page for each."""

import os
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import support_jupyter
from mooring import local
from mooring.v1 import sessions_pb2_grpc
from playwright.sync_api import Browser, Page, sync_playwright
from support_pages import data_folder
from support_showing import watched


def in_browser(item: pytest.Item) -> bool:
    return Path(__file__).parent in item.path.parents


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Playwright keeps an event loop running in this thread, where no other test could run one then: last.
    items.sort(key=in_browser)
    for item in filter(in_browser, items):
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.timeout(240))


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
    with watched(browser) as seen:
        yield seen.page
        support_jupyter.ARTIFACTS.mkdir(exist_ok=True)
        seen.page.screenshot(path=support_jupyter.ARTIFACTS / f"{request.node.name}.png", full_page=True)
        errors = list(seen.errors)
        support_jupyter.end_kernel(seen.page)  # a kernel that is just being restarted answers with an error
    assert not errors, errors


@pytest.fixture
def sessions(demo: support_jupyter.Demo) -> Iterator[sessions_pb2_grpc.SessionServiceStub]:
    """Another client of the demo's own service."""
    demo.url()
    address = local.find_or_start(data_folder(demo))
    with grpc.insecure_channel(address) as channel:
        yield sessions_pb2_grpc.SessionServiceStub(channel)
