import signal
import subprocess

import grpc
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc
from mooring.v1 import imports_pb2
from mooring_server.cli.client import connected
from mooring_server.cli.console import ExitCode
from support_cli import COMMAND, DEADLINE_S, environment, serving
from support_waiting import until

ROWS = 100_000
SLOW = {"MOORING_IMPORT_CHUNK_ROWS": "200"}


@pytest.fixture
def large(tmp_path):
    """A file whose import lasts long enough to be ended."""
    path = tmp_path / "large.csv"
    lines = (f"machine-{number:06},Production,{number % 64 + 1}" for number in range(ROWS))
    path.write_text("\n".join(["Name,Environment,vCPUs", *lines]))
    return path


def started(folder, server, file, session):
    """`mooring import` in a process of its own, from the moment that the server writes rows."""
    process = subprocess.Popen(
        [*COMMAND, "import", str(file), "--session", session, "--json"],
        env=environment(folder, MOORING_SERVER=server.address),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with grpc.insecure_channel(server.address) as channel, connected(server.address) as client:
        operations = operations_pb2_grpc.OperationsStub(channel)

        def writes():
            assert process.poll() is None, process.communicate()
            target = client.session("engagements/demo", session)
            if target is None:
                return False
            request = operations_pb2.ListOperationsRequest(name=target.name)
            for operation in operations.ListOperations(request).operations:
                metadata = imports_pb2.ImportInventoryMetadata()
                operation.metadata.Unpack(metadata)
                if metadata.rows_done:
                    return True
            return False

        until(writes, "the import writes")
    return process


def test_ctrl_c_cancels_on_the_server(folder, large):
    """Ctrl-C ends the operation on the server too, changes nothing, and says so with status 130."""
    with serving("--port", 0, data_folder=folder, **SLOW) as server:
        process = started(folder, server, large, "Cancelled")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=DEADLINE_S)

        assert process.returncode == ExitCode.INTERRUPTED, err
        assert out == ""
        assert "cancelled and changed nothing" in err
        assert err.count("\n") == 1
        with connected(server.address) as client:
            assert client.session("engagements/demo", "Cancelled") is None


def test_a_killed_server_leaves_all_or_nothing(folder, large):
    """SIGKILL of the server during an import: the command says so, and the session holds none of the rows."""
    with serving("--port", 0, data_folder=folder, **SLOW) as server:
        process = started(folder, server, large, "Killed")
        server.process.kill()
        server.process.wait()
        out, err = process.communicate(timeout=DEADLINE_S)

        assert process.returncode == ExitCode.UNREACHABLE, err
        assert out == ""
        assert err.startswith("mooring: the server cannot answer")
    with serving("--port", 0, data_folder=folder) as server, connected(server.address) as client:
        session = client.session("engagements/demo", "Killed")
        assert session is not None
        assert (session.asset_count, session.data_version) == (0, "")
