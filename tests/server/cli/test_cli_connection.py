from types import SimpleNamespace

import grpc
import pytest
from mooring_server.cli.connection import Absent, Connection, Refused, by_id
from mooring_server.cli.console import ExitCode, Failure

PAGES = {"": ([1], "a"), "a": ([], "b"), "b": ([2, 3], "c"), "c": ([4], "")}


class Gone(grpc.RpcError):
    """What gRPC raises where a server does not know a call."""

    def code(self):
        return grpc.StatusCode.UNIMPLEMENTED

    def details(self):
        return "Method not found!"

    def trailing_metadata(self):
        return ()


def short_pages(asked):
    """A method whose pages are shorter than was asked for, one of them empty."""

    def method(request, **_):
        asked.append(request.page_size)
        items, token = PAGES[request.page_token]
        return SimpleNamespace(items=items[: request.page_size], next_page_token=token)

    return method


@pytest.mark.parametrize(
    ("limit", "found", "more"), [(0, [1, 2, 3, 4], False), (2, [1, 2], True), (9, [1, 2, 3, 4], False)]
)
def test_a_short_page_is_not_the_end(limit, found, more):
    """A list goes on until its token is empty or it has what was asked for, whatever pages there are."""
    asked = []
    request = SimpleNamespace(page_size=0, page_token="")
    listed = Connection(None).first(short_pages(asked), request, "items", limit)

    assert (listed.items, listed.more) == (found, more)
    assert all(0 < size <= 1_000 for size in asked)


def test_an_interrupt_does_not_promise_too_much():
    """Ctrl-C while the server changes something says that it may have been done; while it reads, nothing."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Connection(None).call(interrupted, None)
    with pytest.raises(Failure, match="look whether it was done") as failure:
        Connection(None).call(interrupted, None, changes=True)
    assert failure.value.code is ExitCode.INTERRUPTED


def test_an_older_server_is_called_that():
    """What a server does not know is a sentence, not gRPC's own."""

    def unknown(*_, **__):
        raise Gone

    with pytest.raises(Refused, match="older version"):
        Connection(None).call(unknown, None)


def test_a_whole_id_wins():
    """An id that another one begins with is still one; what begins several names none."""
    found = [SimpleNamespace(name=f"imports/{one}") for one in ("abc", "abcd", "x")]

    assert by_id(found, "abc", "import") is found[0]
    assert by_id(found, "x/imports/abcd", "import") is found[1]
    for wanted in ("ab", "y", ""):
        with pytest.raises(Absent):
            by_id(found, wanted, "import")
