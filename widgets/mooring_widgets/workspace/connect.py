"""Getting a workspace: one for a kernel and service, however often it is asked for."""

import contextlib
import os
import sys
import threading
import weakref
from collections.abc import Hashable, Iterator
from pathlib import Path

from mooring_widgets.client import Context, MooringClient, hidden, library_loop
from mooring_widgets.context import find_place
from mooring_widgets.workspace.helpful import checked
from mooring_widgets.workspace.workspace import Workspace, open_workspace

_lock = threading.Lock()
_workspaces: dict[tuple[Hashable, str, int], Workspace] = {}
_answers: list[Workspace] = []


@checked
def connect(
    address: str | None = None,
    *,
    token: str | None = None,
    ca: str | Path | None = None,
    context: str | None = None,
) -> Workspace:
    """The workspace of this notebook on a service.

    Args:
        address: `https://host[:port]` or `host:port`; by default MOORING_SERVER, else your own service,
            started where it does not run.
        token: Your API token on that server; by default MOORING_TOKEN. It goes over TLS alone, except to
            this machine itself.
        ca: A PEM file with the certificates to trust where the server's is of an authority of your own; by
            default MOORING_CA, else the public authorities.
        context: The context to join: its id or full name; by default MOORING_CONTEXT, else that of this
            notebook, which a restarted kernel finds again. A script gets a fresh one.

    Returns:
        The same workspace for the same address, token and context.

    Raises:
        Unauthenticated: Where the server asks for a token and gets none, or one that has ended.
        InvalidArgument: For an address that is none, a certificate that cannot be read, and a token that
            would leave this machine in the clear.
        Unavailable: Where no service answers or none can be started; the message says why.
        NotFound: Where the named context does not exist.
    """
    if _answers:
        return _answers[-1]
    loop = library_loop()
    named = context or os.environ.get("MOORING_CONTEXT", "")
    # From here on a traceback that shows variables does not show it: it may stay in the notebook.
    token = hidden(token or os.environ.get("MOORING_TOKEN", ""))
    client = MooringClient(
        address or os.environ.get("MOORING_SERVER") or None,
        token=token,
        ca=ca or os.environ.get("MOORING_CA", ""),
    )
    runtime = _runtime()
    key = (client.identity, named, id(runtime))
    with _lock:
        known = _workspaces.get(key)
        if known is not None and not known.closed:
            return known

        async def open_() -> Workspace:
            try:
                return await open_workspace(client, loop, await _context(client, named))
            except BaseException:
                await client.close()
                raise

        ws = _workspaces[key] = loop.wait(open_())
        if runtime is not None:
            weakref.finalize(runtime, _end, key)  # before another one can have its id
        return ws


def _runtime() -> object | None:
    """What is calling where one process runs several programs, as `marimo run` does for its visitors."""
    context = getattr(sys.modules.get("marimo._runtime.context"), "safe_get_context", None)
    return None if context is None else context()


def _end(key: tuple[Hashable, str, int]) -> None:
    ws = _workspaces.pop(key, None)
    if ws is not None:
        ws.run(ws.aclose())  # nobody waits: this may be any thread


@contextlib.contextmanager
def answering(ws: Workspace) -> Iterator[None]:
    """While the block lasts, `connect` answers this workspace whatever it is asked for: for tests."""
    _answers.append(ws)
    try:
        yield
    finally:
        _answers.remove(ws)


async def _context(client: MooringClient, named: str) -> Context:
    if named:
        return await client.get_context(named if "/" in named else f"users/me/contexts/{named}")
    place = find_place(client.install_id)
    return await client.open_context(place.kernel_key, place.notebook_key)
