"""Where a server is and how to speak to it: the address, TLS, and the API token to send.

The command line, the notebook widgets and programs on the stubs share this module, so that an address means
the same to all of them; it needs the standard library alone until it has something to call::

    server = Endpoint.of("https://mooring.example.com", token=os.environ["MOORING_TOKEN"])
    with grpc.secure_channel(server.target, server.credentials()) as channel:
        UserServiceStub(channel).GetCurrentUser(request, metadata=server.metadata)
"""

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import grpc

HTTPS_PORT = 443

_TARGET = re.compile(r"(?P<host>\[[0-9a-fA-F:.%]+\]|[^\s/:\[\]]+):(?P<port>[0-9]{1,5})")
_UNIX = "unix:"
_HTTPS = "https://"
# What a header can carry; a secret of ours is narrower still.
_TOKEN = re.compile(r"[\x21-\x7e]+")
_PEM_MARK = b"-----BEGIN CERTIFICATE-----"

# By what OpenSSL and gRPC say of it, the more special first.
_OTHER_HOSTS = "the certificate of {} is another host's; use the name that it is for"
_TLS_TROUBLES = {
    "certificate has expired": "the certificate of {} has expired; whoever runs it must renew it",
    "CERTIFICATE_VERIFY_FAILED": "the certificate of {} is of an authority that is not trusted here; name "
    "that authority's own one (ca=, --ca, MOORING_CA) if you know it",
    "Hostname Verification Check failed": _OTHER_HOSTS,
    "is not in peer certificate": _OTHER_HOSTS,
    "WRONG_VERSION_NUMBER": "{} speaks no TLS; leave https:// and the certificate authority away",
    "Failed to create security handshaker": "the certificates to trust for {} cannot be used; is the file a "
    "certificate authority's, in PEM form?",
}


class EndpointError(ValueError):
    """An address, a token or a certificate cannot be used; the message says what to do."""


class Secret(str):
    """A text that does not show itself where variables are printed: in tracebacks and representations."""

    __slots__ = ()

    def __repr__(self) -> str:
        """A stand-in."""
        return "<secret>" if self else "''"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server and how to speak to it. Equal ones reach the same server as the same caller.

    Attributes:
        label: The address as it was given, to show.
        target: What gRPC takes: `host:port` or `unix:/path`.
        tls: Whether TLS is spoken.
        ca: The certificates to trust, PEM; None: those that gRPC brings.
        token: The API token; empty for none. Never shown.
    """

    label: str
    target: str
    tls: bool = False
    ca: bytes | None = field(default=None, repr=False)
    token: Secret = field(default=Secret(), repr=False)

    @classmethod
    def of(cls, address: str, *, token: str = "", ca: str | Path = "") -> "Endpoint":
        """The endpoint that an address names.

        Args:
            address: `https://host` or `https://host:port` for TLS with a certificate of a public authority;
                `host:port` for TLS if `ca` is given, else plain; `unix:/path`.
            token: An API token; empty for none.
            ca: A PEM file with the certificates to trust instead of the public ones; empty for those.

        Raises:
            EndpointError: For an address that is none of these, a token that cannot be sent, a file that
                cannot be read, and a token that would leave this machine in the clear.
        """
        secret = _checked_token(Secret(token))
        del token  # a traceback may show variables
        if address.startswith(_UNIX):
            if address == _UNIX:
                raise _odd(address)
            return cls(address, address, token=secret)
        tls = address.startswith(_HTTPS)
        target = _https_target(address) if tls else _plain_target(address)
        if tls or ca:
            return cls(address, target, tls=True, ca=_read_ca(Path(ca)) if ca else None, token=secret)
        if secret and not is_local(target):
            raise EndpointError(
                f"the API token would go to {target} in the clear, for everybody on the way to read: write "
                f"https://{target}, or name the server's own certificate authority (ca=, --ca, MOORING_CA)"
            )
        return cls(address, target, token=secret)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What every call carries."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    def credentials(self) -> "grpc.ChannelCredentials":
        """The credentials of a secure channel; for endpoints that speak TLS."""
        import grpc

        return grpc.ssl_channel_credentials(self.ca)


def is_local(target: str) -> bool:
    """Whether only this machine's own users reach a gRPC address: a Unix socket's path or loopback."""
    if target.startswith(_UNIX):
        return True
    host = target.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def tls_trouble(label: str, details: str) -> str | None:
    """What is wrong with TLS, as a sentence, where that is why a server cannot be reached.

    Args:
        label: The server's address, to show.
        details: What gRPC says of the UNAVAILABLE.
    """
    for sign, sentence in _TLS_TROUBLES.items():
        if sign in details:
            return sentence.format(label)
    return None


def _plain_target(address: str) -> str:
    match = _TARGET.fullmatch(address)
    if match is None or int(match["port"]) > 65_535:
        raise _odd(address)
    return address


def _odd(address: str) -> EndpointError:
    return EndpointError(
        f"a server's address is HOST:PORT, https://HOST[:PORT] or unix:/PATH, not {address!r}"
    )


def _https_target(address: str) -> str:
    parts = urlsplit(address)
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        # Not shown: what stands there may be a secret.
        raise EndpointError(
            "a server's address is https://HOST[:PORT] and nothing more (a token does not belong in it)"
        )
    with_port = re.search(r":[0-9]+$", parts.netloc) is not None
    return _plain_target(parts.netloc if with_port else f"{parts.netloc}:{HTTPS_PORT}")


def _checked_token(token: Secret) -> Secret:
    token = Secret(token.strip())  # a file's or a shell's last line ends with one
    if token and not _TOKEN.fullmatch(token):
        raise EndpointError("the API token holds characters that none has; copy it again, as it was shown")
    return token


def _read_ca(file: Path) -> bytes:
    try:
        pem = file.expanduser().read_bytes()
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "its folder is nobody's home"
        raise EndpointError(f"the certificates in {file} cannot be read: {reason}") from None
    if _PEM_MARK not in pem:
        raise EndpointError(f"{file} holds no certificate in PEM form (`{_PEM_MARK.decode()}`)")
    return pem
