import pickle
import traceback

import pytest
from mooring.endpoints import Endpoint, EndpointError, tls_trouble

TOKEN = "mrg_" + "a1B2" * 12 + "z"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.fixture
def ca(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text(PEM)
    return file


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("https://mooring.example.com", "mooring.example.com:443"),
        ("https://mooring.example.com/", "mooring.example.com:443"),
        ("https://mooring.example.com:50051", "mooring.example.com:50051"),
        ("https://[2001:db8::1]", "[2001:db8::1]:443"),
        ("https://[2001:db8::1]:50051", "[2001:db8::1]:50051"),
    ],
)
def test_https_means_tls(address, target):
    """With https:// TLS is spoken, on port 443 where none is named, and trusts the public authorities."""
    endpoint = Endpoint.of(address, token=TOKEN)
    assert (endpoint.target, endpoint.tls, endpoint.ca) == (target, True, None)
    assert endpoint.metadata == (("authorization", f"Bearer {TOKEN}"),)


def test_an_authority_means_tls(ca):
    """Who names the authority of a server's certificate wants TLS, with https:// or without."""
    for address in ("mooring.example.com:50051", "https://mooring.example.com:50051", "127.0.0.1:50051"):
        endpoint = Endpoint.of(address, token=TOKEN, ca=ca)
        assert endpoint.tls
        assert endpoint.ca == PEM.encode()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "localhost:1", "[::1]:1", "unix:/run/m.sock"])
def test_this_machine_is_spoken_to_plainly(address):
    """Nobody reads between a machine and itself: a token may go there without TLS."""
    endpoint = Endpoint.of(address, token=TOKEN)
    assert (endpoint.target, endpoint.tls) == (address, False)
    assert endpoint.metadata


@pytest.mark.parametrize(
    "address", ["mooring.example.com:1", "192.0.2.1:1", "0.0.0.0:1", "localhost.example:1"]
)
def test_a_token_never_leaves_in_the_clear(address):
    """Without TLS no token goes to another machine; without a token the address is good."""
    with pytest.raises(EndpointError, match="in the clear") as refused:
        Endpoint.of(address, token=TOKEN)
    assert f"https://{address}" in str(refused.value)
    assert Endpoint.of(address).metadata == ()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost",
        "localhost:port",
        "localhost:123456",
        "localhost:70000",
        ":1",
        "a b:1",
        "http://localhost:1",
        "https://",
        "https://host/path",
        "https://host?x",
        "https://mrg_secret@host",
        "unix:",
    ],
)
def test_an_odd_address_is_refused(address):
    """What is none of the three forms is refused, and a secret in it is not repeated."""
    with pytest.raises(EndpointError) as refused:
        Endpoint.of(address)
    assert "mrg_" not in str(refused.value)


def test_an_odd_token_is_refused():
    """What no header carries is no token; the line's end that a file brings along does no harm."""
    assert Endpoint.of("localhost:1", token=f"{TOKEN}\n").token == TOKEN
    for wrong in (f"{TOKEN}\nx", "two words", "tökén"):
        with pytest.raises(EndpointError) as refused:
            Endpoint.of("localhost:1", token=wrong)
        assert wrong not in str(refused.value)


def test_an_authority_that_is_none_is_refused(tmp_path):
    """A missing file and one without a certificate are named."""
    (tmp_path / "key.pem").write_text("-----BEGIN PRIVATE KEY-----")
    for name in ("absent.pem", "key.pem"):
        with pytest.raises(EndpointError, match=name):
            Endpoint.of("localhost:1", ca=tmp_path / name)


def test_a_token_does_not_show_itself():
    """Neither representations nor tracebacks with variables hold it; the endpoint still is another one's."""
    endpoint = Endpoint.of("https://host", token=TOKEN)
    assert TOKEN not in repr(endpoint)
    assert TOKEN not in repr([endpoint.token])
    assert endpoint != Endpoint.of("https://host", token=TOKEN[:-1])
    assert endpoint == pickle.loads(pickle.dumps(endpoint))  # noqa: S301 - our own bytes
    try:
        Endpoint.of("host:1", token=TOKEN)
    except EndpointError as error:
        shown = traceback.TracebackException.from_exception(
            error.with_traceback(error.__traceback__.tb_next), capture_locals=True
        )
        assert TOKEN not in "".join(shown.format())


@pytest.mark.parametrize(
    ("details", "hint"),
    [
        ("… CERTIFICATE_VERIFY_FAILED: unable to get local issuer certificate", "not trusted"),
        ("… CERTIFICATE_VERIFY_FAILED: certificate has expired", "expired"),
        ("… Hostname Verification Check failed.", "another host"),
        ("… WRONG_VERSION_NUMBER: …", "no TLS"),
        ("… Connection refused", None),
    ],
)
def test_tls_troubles_are_sentences(details, hint):
    """What gRPC says of a failed handshake becomes what to do about it; other failures are not TLS's."""
    trouble = tls_trouble("https://host", details)
    assert trouble is None if hint is None else hint in trouble and "https://host" in trouble
