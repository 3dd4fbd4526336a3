"""Who may reach the server: which addresses it may listen on, and the certificate that it shows there."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import grpc
import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from mooring.endpoints import is_local

from mooring_server.errors import InvalidArgument, Unavailable
from mooring_server.settings import Auth, Settings

_log = structlog.stdlib.get_logger(__name__)

_Stamp = tuple[tuple[int, int, int], ...]


def check_exposure(settings: Settings, addresses: Sequence[str]) -> None:
    """Refuses settings by which a stranger could be somebody, or read what is somebody's.

    Args:
        settings: What says how callers prove who they are, and whether TLS is spoken.
        addresses: Each `host:port` or `unix:/path`.

    Raises:
        InvalidArgument: anybody could call as the demo user from elsewhere, API tokens would travel in the
            clear, or the certificate cannot be used.
    """
    certificate = Certificate.of(settings)
    if settings.auth is Auth.NONE and settings.tls_by_proxy:
        raise InvalidArgument(
            "auth: `none` behind a proxy would make everybody who reaches the proxy the demo user: use "
            "auth `token`, or take tls_by_proxy away"
        )
    for address in addresses:
        if is_local(address):
            continue
        if settings.auth is Auth.NONE:
            raise InvalidArgument(
                f"auth: `none` would make everybody who reaches {address} the demo user: it is for "
                "loopback addresses and Unix sockets alone"
            )
        if certificate is None and not settings.tls_by_proxy:
            raise InvalidArgument(
                f"API tokens would travel to {address} in the clear: give a certificate (tls_cert_file and "
                "tls_key_file), or say tls_by_proxy where a proxy ends TLS in front of it"
            )


def bind(server: grpc.aio.Server, address: str, certificate: "Certificate | None") -> str:
    """Takes an address: with TLS where there is a certificate, except on Unix sockets.

    Returns:
        What clients connect to, with the port that was really taken.

    Raises:
        Unavailable: the address is taken, or not this machine's.
    """
    try:
        if address.startswith("unix:"):
            server.add_insecure_port(address)
            return address
        if certificate is None:
            port, scheme = server.add_insecure_port(address), ""
        else:
            port, scheme = server.add_secure_port(address, certificate.credentials()), "https://"
    except RuntimeError:
        raise Unavailable(f"{address} cannot be listened on: it is taken, or not this machine's") from None
    return f"{scheme}{address.rpartition(':')[0]}:{port}"


class Certificate:
    """A certificate chain and its key in two files, which are read again when they have changed.

    Raises:
        InvalidArgument: a file cannot be read, is not PEM, or the key is another certificate's.
    """

    def __init__(self, cert_file: Path, key_file: Path) -> None:
        self._files = (cert_file, key_file)
        self._stamp = self._stamps()
        self._pair = _read_pair(cert_file, key_file)

    @classmethod
    def of(cls, settings: Settings) -> "Certificate | None":
        """The one of the settings; None where they name none.

        Raises:
            InvalidArgument: as the class, and where one of the two settings is missing.
        """
        cert_file, key_file = settings.tls_cert_file, settings.tls_key_file
        if cert_file is None and key_file is None:
            return None
        if cert_file is None or key_file is None:
            missing = "tls_cert_file" if cert_file is None else "tls_key_file"
            raise InvalidArgument(f"{missing}: TLS needs a certificate and its key, and this is missing")
        return cls(cert_file, key_file)

    def credentials(self) -> grpc.ServerCredentials:
        """What a secure port is opened with: each new connection gets the newest usable certificate."""
        # The stubs do not know that the answer may be None.
        renewed = cast("Callable[[], grpc.ServerCertificateConfiguration]", self._renewed)
        return grpc.dynamic_ssl_server_credentials(self._configuration(), renewed)

    def _configuration(self) -> grpc.ServerCertificateConfiguration:
        chain, key = self._pair
        return grpc.ssl_server_certificate_configuration([(key, chain)])

    def _renewed(self) -> grpc.ServerCertificateConfiguration | None:
        """A new certificate, None for the one before. gRPC asks at each handshake, on a thread of its own."""
        try:
            stamp = self._stamps()
            if stamp == self._stamp:
                return None
            self._stamp = stamp  # a broken one is complained of once
            self._pair = _read_pair(*self._files)
        except (InvalidArgument, OSError) as failure:
            _log.warning("the new TLS certificate cannot be used; the old one stays", error=str(failure))
            return None
        _log.info("the TLS certificate was renewed")
        return self._configuration()

    def _stamps(self) -> _Stamp:
        found = []
        for file in self._files:
            try:
                status = os.stat(file)
            except OSError as error:
                raise _unreadable(file, error) from None
            found.append((status.st_mtime_ns, status.st_ino, status.st_size))
        return tuple(found)


def _read_pair(cert_file: Path, key_file: Path) -> tuple[bytes, bytes]:
    chain, key = _read(cert_file), _read(key_file)
    try:
        certificate = x509.load_pem_x509_certificates(chain)[0]
        certified = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidArgument(f"tls_cert_file: {cert_file} holds no certificate in PEM form") from None
    try:
        private = load_pem_private_key(key, password=None)
    except TypeError:
        raise InvalidArgument(
            f"tls_key_file: {key_file} is locked with a password, which nobody could type at a start: "
            "store it without one, readable by the service alone"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidArgument(f"tls_key_file: {key_file} holds no private key in PEM form") from None
    own, other = (
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for public in (certified, private.public_key())
    )
    if own != other:
        raise InvalidArgument(
            f"tls_key_file: {key_file} is not the key of the first certificate in {cert_file}"
        )
    return chain, key


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise _unreadable(file, error) from None


def _unreadable(file: Path, error: OSError) -> InvalidArgument:
    return InvalidArgument(f"TLS: {file} cannot be read: {error.strerror}")
