"""`connect` with an API token over TLS: who gets in, what a refusal looks like, where the token is not."""

import logging
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
import trustme
from mooring.endpoints import Endpoint
from mooring.v1 import engagements_pb2, engagements_pb2_grpc
from mooring_server.core import tokens
from mooring_server.settings import Auth, Settings
from mooring_server.store.records import TokenScope
from mooring_widgets import Workspace, connect, errors
from mooring_widgets.client import MooringClient
from support_server import serving
from support_waiting import until
from support_widgets import shows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Any]:
    """A server with TLS that asks for tokens, where Ann has an engagement; `issue` makes a token of hers."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    settings = Settings(
        database=f"sqlite:///{folder}/mooring.db",
        port=0,
        stop_grace_s=1,
        auth=Auth.TOKEN,
        tls_cert_file=folder / "cert.pem",
        tls_key_file=folder / "key.pem",
    )
    with serving(settings) as running:

        def issue(user_id: str, token_id: str) -> str:
            secret = tokens.new_secret()

            def write(tx: Any) -> None:
                tokens.bearer(tx, user_id, user_id.title())
                end = tx.now + timedelta(hours=1)
                tx.tokens.insert(user_id, token_id, tokens.hash_of(secret), "Test's", TokenScope.WRITE, end)

            running.write(write)
            return secret

        endpoint = Endpoint.of(running.address, token=issue("ann", "first"), ca=folder / "ca.pem")
        with grpc.secure_channel(endpoint.target, endpoint.credentials()) as channel:
            engagements_pb2_grpc.EngagementServiceStub(channel).CreateEngagement(
                engagements_pb2.CreateEngagementRequest(
                    engagement=engagements_pb2.Engagement(display_name="Contoso")
                ),
                metadata=endpoint.metadata,
            )
        yield SimpleNamespace(
            address=running.address,
            ca=folder / "ca.pem",
            issue=issue,
            revoke=lambda user_id, id: running.write(lambda tx: tokens.revoke(tx, user_id, id)),
        )


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's own, neither their data folder nor their variables."""
    monkeypatch.setenv("MOORING_DATA_DIR", str(tmp_path / "data"))
    for name in ("SERVER", "TOKEN", "CA", "CONTEXT"):
        monkeypatch.delenv(f"MOORING_{name}", raising=False)


@pytest.fixture(scope="module")
def secret(server: Any) -> str:
    """A token of Ann's."""
    made: str = server.issue("ann", "laptop")
    return made


@pytest.fixture
def open_(request: pytest.FixtureRequest) -> Callable[..., Workspace]:
    """`connect`, whose workspaces are closed at the end."""

    def opened(*arguments: Any, **options: Any) -> Workspace:
        ws = connect(*arguments, **options)
        request.addfinalizer(ws.close)
        return ws

    return opened


def test_a_token_lets_its_user_in(
    server: Any, secret: str, open_: Callable[..., Workspace], tmp_path: Path
) -> None:
    """Calls, the watch and an import all carry it, over TLS with the authority that was named."""
    ws = open_(server.address, token=secret, ca=server.ca)
    assert ws.engagement.display_name == "Contoso"
    until(lambda: ws.feed.live)
    file = tmp_path / "estate.csv"
    file.write_text("Hostname,Type\nsrv-1,server\n")
    assert ws.import_inventory(file).created == 1


def test_the_environment_will_do(
    server: Any, secret: str, open_: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    """MOORING_SERVER, MOORING_TOKEN and MOORING_CA stand for the three arguments."""
    for name, value in (("SERVER", server.address), ("TOKEN", secret), ("CA", str(server.ca))):
        monkeypatch.setenv(f"MOORING_{name}", value)
    assert open_().engagement.display_name == "Contoso"


def test_a_token_is_a_workspace_of_its_own(server: Any, secret: str, open_: Callable[..., Workspace]) -> None:
    """The same token gives the same workspace, another user's token never gives that one."""
    ann = open_(server.address, token=secret, ca=server.ca)
    assert connect(server.address, token=secret, ca=server.ca) is ann
    again = open_(server.address, token=server.issue("ann", "desk"), ca=server.ca)
    assert again is not ann


def test_who_has_no_token_is_told_so(server: Any) -> None:
    """A server that asks for one says how to give it, and a wrong one is refused plainly."""
    with pytest.raises(errors.Unauthenticated, match="MOORING_TOKEN") as refused:
        connect(server.address, ca=server.ca)
    assert refused.value.reason == "UNAUTHENTICATED"
    with pytest.raises(errors.Unauthenticated, match="not valid"):
        connect(server.address, token=tokens.new_secret(), ca=server.ca)


def test_a_server_that_is_not_trusted_gets_nothing(server: Any, secret: str, tmp_path: Path) -> None:
    """Without the right authority no call is made, and the sentence says what to name."""
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    for options in ({}, {"ca": other}):
        with pytest.raises(errors.Unavailable, match="ca="):
            connect(server.address, token=secret, **options)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"address": "192.0.2.1:50051", "token": "mrg_x"}, "in the clear"),
        ({"address": "somewhere"}, "HOST:PORT"),
        ({"address": "192.0.2.1:50051", "ca": "/absent/ca.pem"}, "/absent/ca.pem"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(arguments: dict[str, str], message: str) -> None:
    """A token without TLS, an odd address and a missing file are the caller's to mend."""
    with pytest.raises(errors.InvalidArgument, match=message):
        connect(**arguments)  # type: ignore[arg-type] - the values are texts


def test_a_revoked_token_shows_where_it_is_missed(server: Any, open_: Callable[..., Workspace]) -> None:
    """A view of an open notebook says why it cannot refresh, a call raises it, and no try follows."""
    own = server.issue("ann", "lost")
    ws = open_(server.address, token=own, ca=server.ca)
    landscape = ws.landscape()
    shows(landscape, error=None)
    server.revoke("ann", "lost")
    until(lambda: ws.feed.refused, "the watch to hear of it, too")

    with pytest.raises(errors.Unauthenticated, match="revoked"):
        ws.create("Another")
    ws.queries.invalidate_queries(("discovery",))
    until(lambda: (landscape._state.get("error") or {}).get("reason") == "UNAUTHENTICATED")
    assert "token" in landscape._state["error"]["message"]


def test_the_token_is_nowhere_to_be_seen(
    server: Any, open_: Callable[..., Workspace], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither representations, widget state, logs nor a traceback with variables hold it."""
    own = server.issue("ann", "seen")
    with caplog.at_level(logging.DEBUG):
        ws = open_(server.address, token=own, ca=server.ca)
        view = ws.discovery()
        until(lambda: ws.feed.live)
        shown = [
            repr(ws),
            repr(ws.client),
            repr(vars(ws.client)),
            repr(ws.client.identity),
            ws.client.address,
        ]
        shown += [
            repr(ws.selector.get_state()),
            repr(view.get_state()),
            repr(ws._repr_mimebundle_()),
            caplog.text,
        ]
        shown += [repr(ws.session), repr(ws.queries)]
        server.revoke("ann", "seen")
        with pytest.raises(errors.Unauthenticated) as ended:
            ws.switch("nowhere")
    with pytest.raises(errors.InvalidArgument) as clear:
        connect("192.0.2.1:50051", token=own)
    wrong = tokens.new_secret()
    with pytest.raises(errors.Unauthenticated) as unknown:
        connect(server.address, token=wrong, ca=server.ca)

    shown.append(caplog.text)
    for error in (ended.value, clear.value, unknown.value):
        shown += [str(error), repr(error), *_with_variables(error)]
    assert not [text for text in shown if own in text or wrong in text]


def _with_variables(error: errors.MooringError) -> Iterator[str]:
    """A traceback as a notebook in verbose mode shows it, from our own code on: the cell is the user's."""
    tb = error.__traceback__
    while tb is not None and "mooring_widgets" not in tb.tb_frame.f_code.co_filename:
        tb = tb.tb_next
    assert tb is not None
    return traceback.TracebackException(type(error), error, tb, capture_locals=True).format()


def test_an_identity_tells_callers_apart() -> None:
    """Clients with the same address and token are one caller; with another token they are another."""
    one, other = MooringClient("localhost:1", token="a"), MooringClient("localhost:1", token="b")
    assert one.identity != other.identity
    assert one.identity == MooringClient("localhost:1", token="a").identity
