"""TLS, and what may be reached without it: what a server refuses to start with, and what it shows."""

from datetime import timedelta

import grpc
import pytest
import trustme
from mooring.endpoints import Endpoint
from mooring.v1 import users_pb2, users_pb2_grpc
from mooring_server.core import tokens
from mooring_server.errors import InvalidArgument
from mooring_server.settings import Auth, Settings
from mooring_server.store.records import TokenScope
from support_server import HeaderAuth, serving

PRIVATE_POOL = (("grpc.use_local_subchannel_pool", 1),)  # or a new channel would go on with an old connection


class Keys:
    """An authority of the test's own, and a server's certificate and key in files."""

    def __init__(self, folder, *names):
        self.authority = trustme.CA()
        self.ca, self.cert, self.key = (folder / name for name in ("ca.pem", "cert.pem", "key.pem"))
        self.authority.cert_pem.write_to_path(self.ca)
        self.issue(*(names or ("localhost", "127.0.0.1")))

    def issue(self, *names):
        """Puts a new certificate and its key in the files' places."""
        issued = self.authority.issue_cert(*names)
        for file, pems in ((self.cert, issued.cert_chain_pems), (self.key, [issued.private_key_pem])):
            draft = file.with_suffix(".new")
            draft.write_bytes(b"".join(pem.bytes() for pem in pems))
            draft.replace(file)


@pytest.fixture
def keys(tmp_path):
    return Keys(tmp_path)


@pytest.fixture
def settings(tmp_path, keys):
    return Settings(
        database=f"sqlite:///{tmp_path}/m.db",
        port=0,
        stop_grace_s=1,
        auth=Auth.TOKEN,
        tls_cert_file=keys.cert,
        tls_key_file=keys.key,
    )


def without_tls(settings, **changes):
    return settings.model_copy(update={"tls_cert_file": None, "tls_key_file": None, **changes})


def token(server):
    """The secret of a new token."""
    secret = tokens.new_secret()

    def write(tx):
        tokens.bearer(tx, "ann", "Ann")
        expire_time = tx.now + timedelta(hours=1)
        tx.tokens.insert("ann", "t", tokens.hash_of(secret), "Test's", TokenScope.WRITE, expire_time)

    server.write(write)
    return secret


def whoami(endpoint):
    """The name of the user that a call is made as."""
    credentials = endpoint.credentials()
    with grpc.secure_channel(endpoint.target, credentials, options=PRIVATE_POOL) as channel:
        users = users_pb2_grpc.UserServiceStub(channel)
        request = users_pb2.GetCurrentUserRequest()
        return users.GetCurrentUser(request, timeout=10, metadata=endpoint.metadata).name


def is_refused(endpoint):
    try:
        whoami(endpoint)
    except grpc.RpcError as error:
        return error.code() is grpc.StatusCode.UNAVAILABLE
    return False


def test_a_token_goes_over_tls(settings, keys):
    """The address that the server tells says TLS; with its authority's certificate a caller is let in."""
    with serving(settings) as server:
        assert server.address.startswith("https://127.0.0.1:")
        assert whoami(Endpoint.of(server.address, token=token(server), ca=keys.ca)) == "users/ann"


def test_an_unknown_authority_is_not_trusted(settings, tmp_path):
    """Neither with another authority's certificate nor with the public ones does a client talk to it."""
    (tmp_path / "other").mkdir()
    other = Keys(tmp_path / "other")
    with serving(settings) as server:
        assert is_refused(Endpoint.of(server.address, ca=other.ca))
        assert is_refused(Endpoint.of(server.address))


def test_another_hosts_certificate_is_not_trusted(settings, keys):
    """A certificate for another name is refused though its authority is trusted."""
    keys.issue("elsewhere.example.com")
    with serving(settings) as server:
        assert is_refused(Endpoint.of(server.address, ca=keys.ca))


def test_where_tls_is_spoken_nothing_else_is(settings):
    """A plain call to the TLS port gets no answer."""
    with (
        serving(settings) as server,
        grpc.insecure_channel(server.address.removeprefix("https://")) as channel,
    ):
        call = channel.unary_unary("/mooring.v1.UserService/GetCurrentUser").future(b"", timeout=10)
        assert call.code() is grpc.StatusCode.UNAVAILABLE


def test_a_unix_socket_stays_plain(settings, tmp_path):
    """Who reaches a socket's path is on this machine: TLS is for the other addresses."""
    with serving(settings, addresses=[f"unix:{tmp_path}/s", "127.0.0.1:0"]) as server:
        assert server.app.addresses[0] == f"unix:{tmp_path}/s"
        assert server.app.addresses[1].startswith("https://")
        users = users_pb2_grpc.UserServiceStub(server.bearer(token(server)).channel)
        assert users.GetCurrentUser(users_pb2.GetCurrentUserRequest()).name == "users/ann"


def test_a_renewed_certificate_is_shown_without_a_restart(settings, keys):
    """New connections get the new certificate; one that cannot be used leaves the old one in place."""
    keys.issue("elsewhere.example.com")
    with serving(settings) as server:
        endpoint = Endpoint.of(server.address, token=token(server), ca=keys.ca)
        assert is_refused(endpoint)
        keys.issue("127.0.0.1")
        assert whoami(endpoint) == "users/ann"
        keys.cert.write_text("half a file")
        assert whoami(endpoint) == "users/ann"
        keys.key.unlink()
        assert whoami(endpoint) == "users/ann"
        keys.issue("elsewhere.example.com")
        assert is_refused(endpoint)


def garble(keys):
    keys.cert.write_text("no certificate")


def garble_key(keys):
    keys.key.write_text("no key")


def swap_key(keys):
    keys.authority.issue_cert("localhost").private_key_pem.write_to_path(keys.key)


def lock_key(keys):
    from cryptography.hazmat.primitives import serialization as s

    key = s.load_pem_private_key(keys.key.read_bytes(), None)
    locked = s.BestAvailableEncryption(b"password")
    keys.key.write_bytes(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, locked))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (garble, "tls_cert_file: .*cert.pem holds no certificate"),
        (garble_key, "tls_key_file: .*key.pem holds no private key"),
        (swap_key, "is not the key of the first certificate"),
        (lock_key, "locked with a password"),
        (lambda keys: keys.cert.unlink(), "cert.pem cannot be read: No such file"),
        (lambda keys: keys.key.unlink(), "key.pem cannot be read: No such file"),
        (lambda keys: (keys.key.unlink(), keys.key.mkdir()), "key.pem cannot be read: Is a directory"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_told_at_the_start(settings, keys, spoil, message):
    """Before anything listens, the file and what is wrong with it are named."""
    spoil(keys)
    with pytest.raises(InvalidArgument, match=message), serving(settings):
        pass


def test_a_certificate_needs_its_key(settings):
    """One of the two settings alone is refused, naming the other."""
    for missing in ("tls_cert_file", "tls_key_file"):
        half = settings.model_copy(update={missing: None})
        with pytest.raises(InvalidArgument, match=f"^{missing}: "), serving(half):
            pass


def test_tokens_in_the_clear_are_refused(settings):
    """A plain address that others reach needs a certificate, or the word that a proxy ends TLS."""
    plain = without_tls(settings)
    with pytest.raises(InvalidArgument, match="in the clear"), serving(plain, addresses=["0.0.0.0:0"]):
        pass
    with serving(plain.model_copy(update={"tls_by_proxy": True}), addresses=["0.0.0.0:0"]) as server:
        assert server.address.startswith("0.0.0.0:")
    with serving(plain) as server:
        assert server.address.startswith("127.0.0.1:")
    with serving(settings, addresses=["0.0.0.0:0"]) as server:
        assert server.address.startswith("https://0.0.0.0:")


def test_tls_makes_nobody_known(settings):
    """`auth none` is refused on others' addresses with TLS too, and behind a proxy even on loopback."""
    open_to_all = settings.model_copy(update={"auth": Auth.NONE})
    with pytest.raises(InvalidArgument, match="auth: `none`"), serving(open_to_all, addresses=["0.0.0.0:0"]):
        pass
    proxied = without_tls(open_to_all, tls_by_proxy=True)
    with pytest.raises(InvalidArgument, match="behind a proxy"), serving(proxied):
        pass


def test_another_authenticator_speaks_tls_too(settings, keys):
    """TLS is the settings' business, whoever finds out who is calling."""
    with serving(settings, authenticator=HeaderAuth()) as server:
        assert server.address.startswith("https://")
