"""A server process that is killed while it imports: all of the import is there afterwards, or none of it."""

import asyncio
import os
import subprocess
import sys
import time

import grpc
import pytest
from google.longrunning import operations_pb2
from mooring.v1 import assets_pb2, imports_pb2, sessions_pb2, users_pb2
from mooring_server.settings import Settings
from mooring_server.store import migrate, open_store
from support_discovery import done, import_file, report, start
from support_server import Caller, serving

ROWS = 6_000
ESTATE = b"hostname,owner\n" + b"".join(b"web-%05d,ann\n" % number for number in range(ROWS))
DEADLINE_S = 60

_SERVER = """
import asyncio
import os
from mooring_server.app import running_app
from mooring_server.settings import Settings

async def main():
    async with running_app(Settings()) as app:
        print(app.address, flush=True)
        # Nobody reads what is logged: a full pipe would stop the server.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def settings(tmp_path):
    """A migrated database; leases are short and chunks small."""
    made = Settings(
        database=f"sqlite:///{tmp_path}/m.db",
        port=0,
        operation_lease_s=2,
        import_chunk_rows=200,
        stop_grace_s=1,
    )
    migrate(made.database, made)
    return made


def session_of(caller):
    caller.users.GetCurrentUser(users_pb2.GetCurrentUserRequest())
    listed = caller.sessions.ListSessions(sessions_pb2.ListSessionsRequest(parent="engagements/demo"))
    return listed.sessions[0]


def kill_while_importing(settings, moment):
    """Runs a server process, begins an import, kills the process when `moment(metadata)` holds."""
    environment = {
        f"MOORING_{name.upper()}": str(getattr(settings, name))
        for name in ("database", "port", "operation_lease_s", "import_chunk_rows")
    }
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    try:
        with grpc.insecure_channel(process.stdout.readline().strip()) as channel:
            caller = Caller(channel)
            session = session_of(caller).name
            import_file(caller, session, b"hostname,owner\nold,bob\n")
            operation = start(caller, session, ESTATE)
            deadline = time.monotonic() + DEADLINE_S
            while not moment(operation):
                assert time.monotonic() < deadline, "the moment never came"
                operation = caller.operations.GetOperation(
                    operations_pb2.GetOperationRequest(name=operation.name)
                )
            return operation
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def phase(operation):
    metadata = imports_pb2.ImportInventoryMetadata()
    operation.metadata.Unpack(metadata)
    return metadata


@pytest.mark.parametrize(
    "moment",
    [
        lambda operation: True,
        lambda operation: phase(operation).rows_done > 0,
        lambda operation: phase(operation).rows_done >= ROWS / 2,
        lambda operation: operation.done or phase(operation).phase >= imports_pb2.IMPORT_PHASE_PUBLISHING,
    ],
    ids=["at once", "at the first rows", "half-way", "at the end"],
)
def test_a_killed_import_is_all_or_nothing(settings, moment):
    """After SIGKILL and a restart the operation has ended, and the session agrees with how it ended."""
    operation = kill_while_importing(settings, moment)
    with serving(settings) as server:
        caller = Caller(server.channel)
        ended = done(caller, operation)
        session = session_of(caller)
        shown = caller.discovery.ListAssets(assets_pb2.ListAssetsRequest(parent=session.name, page_size=1))
        if ended.WhichOneof("result") == "response":
            assert report(ended).created == ROWS
            assert (session.asset_count, shown.total_size) == (ROWS + 1, ROWS + 1)
            assert session.data_version == report(ended).data_version
        else:
            assert ended.error.code == grpc.StatusCode.ABORTED.value[0]
            assert "nothing was changed; run it again" in ended.error.message
            assert (session.asset_count, shown.assets[0].hostname) == (1, "old")
        again = import_file(caller, session.name, ESTATE)
        assert again.created + again.unchanged == ROWS
    store = open_store(settings.database, settings=settings)
    assert store.check() == []
    asyncio.run(store.close())
