import json
import re

import grpc
import pytest
import trustme
from mooring.v1 import users_pb2, users_pb2_grpc
from mooring_server.cli import app
from mooring_server.cli.client import Client
from mooring_server.cli.console import ExitCode
from mooring_server.settings import Settings
from mooring_server.store import migrate
from support_cli import mooring, serving
from support_waiting import until
from typer.testing import CliRunner

FAR_AWAY = "192.0.2.1:50051"  # RFC 5737: nobody's


@pytest.fixture
def database(folder):
    """The URL of a migrated database beside the data folder."""
    url = f"sqlite:///{folder.parent / 'team.db'}"
    migrate(url, Settings())
    return url


@pytest.fixture
def inventory(tmp_path):
    file = tmp_path / "servers.csv"
    file.write_text("Name,Type\nharbour-01,Server\n")
    return file


def run(*arguments, **environment):
    """A command in this process."""
    return CliRunner().invoke(app, arguments, env={"NO_COLOR": "1", **environment})


def create(database, *arguments):
    """A token as `--json` tells it."""
    made = run("token", "create", *arguments, "--database", database, "--json")
    assert made.exit_code == 0, made.stderr
    return json.loads(made.stdout)


def whoami(address, secret):
    """The user that a call is made as, or the code that it is refused with."""
    with grpc.insecure_channel(address) as channel:
        call = users_pb2_grpc.UserServiceStub(channel).GetCurrentUser
        try:
            metadata = (("authorization", f"Bearer {secret}"),)
            return call(users_pb2.GetCurrentUserRequest(), timeout=10, metadata=metadata)
        except grpc.RpcError as error:
            return error.code()


def test_from_the_first_token_to_its_end(folder, database, inventory):
    """The operator's command makes a user and a token, and with it they import; revoked, it is refused."""
    made = create(database, "ann", "--user-name", "Ann", "--display-name", "Ann's laptop")
    secret = made["secret"]
    with serving("--port", 0, "--auth", "token", "--database", database, data_folder=folder) as server:

        def run_import(**environment):
            engagement = ("--engagement", "contoso", "--session", "Wave 1", "--server", server.address)
            return mooring("import", inventory, *engagement, "--json", data_folder=folder, **environment)

        user = whoami(server.address, secret)
        assert (user.name, user.display_name) == ("users/ann", "Ann")
        with grpc.insecure_channel(server.address) as channel:
            Client(channel, (("authorization", f"Bearer {secret}"),)).create_engagement("contoso", "Contoso")
        imported = run_import(MOORING_TOKEN=secret)
        assert imported.returncode == 0, imported.stderr
        assert json.loads(imported.stdout)["created"] == 1
        nobody = run_import()
        assert (nobody.returncode, nobody.stdout) == (ExitCode.FAILED, "")
        assert "MOORING_TOKEN" in nobody.stderr

        ended = mooring(
            *("token", "revoke", "ann", made["name"].rpartition("/")[2], "--database", database),
            data_folder=folder,
        )
        assert ended.returncode == 0, ended.stderr
        until(
            lambda: whoami(server.address, secret) is grpc.StatusCode.UNAUTHENTICATED,
            "the server hears of it",
        )
        refused = run_import(MOORING_TOKEN=secret)
        assert refused.returncode == ExitCode.FAILED
        assert "[UNAUTHENTICATED]" in refused.stderr
        assert server.stop() == 0
        assert secret not in server.log()


def test_the_secret_is_shown_once(folder, database):
    """The text of `create` has it, with how to use it; `list` has everything else."""
    made = mooring(
        "token",
        "create",
        "ann",
        "--days",
        "30",
        "--scope",
        "read",
        "--database",
        database,
        data_folder=folder,
    )
    secret = re.search(r"mrg_\w{49}", made.stdout)[0]
    listed = mooring("token", "list", "--database", database, data_folder=folder)
    by_json = mooring("token", "list", "ann", "--json", "--database", database, data_folder=folder)

    assert "MOORING_TOKEN" in made.stdout
    assert re.fullmatch(
        r"users/ann/tokens/\S+: 'made on the command line', read, until .* UTC, never used\n", listed.stdout
    )
    (token,) = json.loads(by_json.stdout)["tokens"]
    assert (token["scope"], token["revoke_time"], token["use_time"]) == ("read", None, None)
    assert secret not in listed.stdout + by_json.stdout
    stored = b"".join(file.read_bytes() for file in folder.parent.glob("team.db*"))
    assert token["name"].rpartition("/")[2].encode() in stored
    assert secret.encode() not in stored


def test_a_server_is_asked_with_ones_own_token(folder, database):
    """With --server the commands go by RPC as the token's user, who needs no access to the database."""
    own = create(database, "ann")["secret"]
    with serving("--port", 0, "--auth", "token", "--database", database, data_folder=folder) as server:

        def ask(*arguments, code=0):
            result = mooring(
                "token", *arguments, data_folder=folder, MOORING_TOKEN=own, MOORING_SERVER=server.address
            )
            assert result.returncode == code, result.stderr
            return result

        second = json.loads(ask("create", "--days", "1", "--display-name", "Job", "--json").stdout)
        assert whoami(server.address, second["secret"]).name == "users/ann"
        assert [token["display_name"] for token in json.loads(ask("list", "--json").stdout)["tokens"]] == [
            "Job",
            "made on the command line",
        ]
        assert "revoked" in ask("revoke", "me", second["name"].rpartition("/")[2]).stdout
        assert whoami(server.address, second["secret"]) is grpc.StatusCode.UNAUTHENTICATED
        assert "SCOPE_TOO_NARROW" in ask("create", "--scope", "admin", code=ExitCode.FAILED).stderr
        assert "PERMISSION_DENIED" in ask("list", "bob", code=ExitCode.FAILED).stderr


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (("create",), ExitCode.USAGE, "Name the user"),
        (("create", "me"), ExitCode.FAILED, "keeps for itself"),
        (("create", "Not An Id"), ExitCode.FAILED, "user: "),
        (("create", "ann", "--days", "400"), ExitCode.FAILED, "366 days"),
        (("create", "ann", "--display-name", ""), ExitCode.FAILED, "token.display_name"),
        (("revoke", "ann", "none"), ExitCode.FAILED, "does not exist"),
        (("list", "--server", FAR_AWAY), ExitCode.USAGE, "--server or --database"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(database, arguments, code, hint):
    """Wrong use and the rules' refusals end in one line that says what to do; nothing is made."""
    result = run("token", *arguments, "--database", database)

    assert (result.exit_code, result.stdout) == (code, "")
    assert hint in result.stderr
    assert result.stderr.count("\n") == 1
    assert run("token", "list", "--database", database).stdout == "There are no tokens.\n"


def test_an_absent_or_old_database_is_named(folder):
    """A token is made in a database that is there, with the newest schema; the hint says how it comes."""
    absent = mooring("token", "create", "ann", data_folder=folder)
    (folder / "mooring.db").touch()
    old = mooring("token", "create", "ann", data_folder=folder)

    for result in (absent, old):
        assert result.returncode == ExitCode.FAILED
        assert "mooring migrate" in result.stderr


def test_the_flag_wins_over_the_variable(database):
    """Who types --database means it, though MOORING_SERVER is set."""
    listed = run("token", "list", "--database", database, MOORING_SERVER=FAR_AWAY)
    assert listed.stdout == "There are no tokens.\n"


def test_a_token_is_not_sent_in_the_clear(folder, inventory):
    """Another machine without TLS gets no token: the command ends before it calls."""
    result = mooring(
        *("import", inventory, "--session", "A", "--server", FAR_AWAY),
        data_folder=folder,
        MOORING_TOKEN="mrg_x",
    )
    assert result.returncode == ExitCode.USAGE
    assert f"https://{FAR_AWAY}" in result.stderr
    assert "mrg_x" not in result.stderr


def test_commands_speak_tls(folder, database, tmp_path):
    """`serve` with a certificate tells an https address, which a command trusts with --ca alone."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    secret = create(database, "ann")["secret"]
    tls = ("--tls-cert", tmp_path / "cert.pem", "--tls-key", tmp_path / "key.pem")
    with serving("--port", 0, "--auth", "token", "--database", database, *tls, data_folder=folder) as server:
        assert server.address.startswith("https://127.0.0.1:")
        asked = ("token", "list", "--server", server.address, "--json")
        trusted = mooring(*asked, "--ca", tmp_path / "ca.pem", data_folder=folder, MOORING_TOKEN=secret)
        wary = mooring(*asked, data_folder=folder, MOORING_TOKEN=secret)

    assert len(json.loads(trusted.stdout)["tokens"]) == 1, trusted.stderr
    assert wary.returncode == ExitCode.UNREACHABLE
    assert "--ca" in wary.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("--host", "0.0.0.0", "--auth", "token"), "in the clear"),  # noqa: S104 - it must not come so far
        (("--tls-by-proxy",), "behind a proxy"),
        (("--auth", "token", "--tls-cert", "/absent/cert.pem"), "tls_key_file"),
        (
            ("--auth", "token", "--tls-cert", "/absent/cert.pem", "--tls-key", "/absent/key.pem"),
            "/absent/cert.pem",
        ),
    ],
)
def test_a_refused_start_touches_nothing(folder, arguments, hint):
    """What must not be served is refused before there is a database."""
    result = mooring("serve", "--port", 0, *arguments, data_folder=folder)

    assert result.returncode == ExitCode.FAILED
    assert hint in result.stderr
    assert list(folder.iterdir()) == []


def test_the_users_own_service_needs_no_token(folder, inventory):
    """What notebooks start for themselves is on a private socket: other servers' settings do not lock it."""
    result = mooring(
        *("import", inventory, "--session", "A", "--json"),
        data_folder=folder,
        MOORING_AUTH="token",
        MOORING_TLS_CERT_FILE="/absent/cert.pem",
        MOORING_IDLE_EXIT_S="0.1",
    )
    assert result.returncode == 0, result.stderr
