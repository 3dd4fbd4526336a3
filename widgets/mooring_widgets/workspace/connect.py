"""Getting a workspace: one for a kernel and service, however often it is asked for."""

import asyncio
import contextlib
import os
import sys
import threading
import weakref
from collections.abc import Hashable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from mooring_widgets.client import Context, Loop, MooringClient, hidden, library_loop
from mooring_widgets.context import Place, find_place
from mooring_widgets.errors import Unauthenticated, Unavailable
from mooring_widgets.workspace.helpful import checked
from mooring_widgets.workspace.keeping import Origin
from mooring_widgets.workspace.kept import Kept, KeptFile
from mooring_widgets.workspace.old import tell, telling
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
    cache: bool = True,
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
        cache: Whether to keep on disk, for you alone, what this notebook reads, so that it can be read while
            the service is away; MOORING_CACHE=off turns that off everywhere. A script keeps nothing.

    Returns:
        The same workspace for the same address, token and context.

    Raises:
        Unauthenticated: Where the server asks for a token and gets none, or one that has ended.
        InvalidArgument: For an address that is none, a certificate that cannot be read, and a token that
            would leave this machine in the clear.
        Unavailable: Where no service answers or none can be started, and nothing is kept of what this
            notebook read; the message says why.
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
                return await _opened(client, loop, named, cache)
            except BaseException:
                await client.close()
                raise

        with telling():
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


async def _opened(client: MooringClient, loop: Loop, named: str, cache: bool) -> Workspace:
    place = Place() if named else find_place(client.install_id)

    async def ask() -> Context:
        if named:
            return await client.get_context(named if "/" in named else f"users/me/contexts/{named}")
        return await client.open_context(place.kernel_key, place.notebook_key)

    file = KeptFile.of(client, place, named) if cache else None
    kept = None if file is None else await asyncio.to_thread(file.read)
    origin = Origin(None if named else ask, file, kept)
    try:
        context = await ask()
    except Unavailable as error:
        if kept is None:
            raise
        tell(
            f"this notebook shows what it read before, as of {_moment(kept)}, and can change nothing until "
            f"its service answers: {error}"
        )
        context, origin = kept.context, replace(origin, away=True)
    except Unauthenticated:
        if file is not None:
            await asyncio.to_thread(file.remove)
        raise
    return await open_workspace(client, loop, context, origin=origin)


def _moment(kept: Kept) -> str:
    newest = max((each.updated_at for each in kept.entries.values()), default=0.0)
    return (
        datetime.fromtimestamp(newest).astimezone().strftime("%d %b %Y, %H:%M") if newest else "its last run"
    )
