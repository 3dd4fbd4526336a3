"""Stored answers, closed to whoever reads the database: an answer may hold an API token's secret.

What opens one is the request id that it was given to, a random UUID of the caller's. The database has only a
hash of that, so nobody but the caller can ask for the answer again, in the API or past it.
"""

import hashlib
import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class Seal:
    """Closes and opens the answer to one request id. `key` is what the answer is stored under."""

    def __init__(self, request_id: str) -> None:
        secret = request_id.lower().encode()
        self.key = hashlib.sha256(b"mooring request id " + secret).hexdigest()
        self._cipher = AESGCM(hashlib.sha256(b"mooring stored answer " + secret).digest())

    def close(self, answer: bytes) -> bytes:
        """The answer as it is stored."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, answer, None)

    def open(self, stored: bytes) -> bytes:
        """The answer as it was given."""
        return self._cipher.decrypt(stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], None)
