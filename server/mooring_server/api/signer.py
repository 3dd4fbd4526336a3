"""Opaque tokens: what callers hand back later, signed so that they hand back what they were given."""

from typing import Any

from itsdangerous import BadData, URLSafeSerializer
from itsdangerous.encoding import base64_decode, base64_encode


class Signer:
    """Seals and opens values for one purpose. The key is the database's: every replica opens every token."""

    def __init__(self, key: bytes, purpose: str) -> None:
        self._serializer = URLSafeSerializer(key, salt=purpose)

    def seal(self, value: Any) -> str:
        """A token that holds a JSON value, for everybody to read and nobody to change."""
        sealed = self._serializer.dumps(value)
        return sealed if isinstance(sealed, str) else sealed.decode()

    def open(self, token: str) -> Any:
        """The value that was sealed.

        Raises:
            ValueError: for anything but what `seal` gave, to the letter.
        """
        try:
            value = self._serializer.loads(token)
            signature = token.rpartition(".")[2].encode()
            # The last letter of a signature has bits to spare: other letters would decode to the same.
            if base64_encode(base64_decode(signature)) != signature:
                raise ValueError("the signature is written differently")
        except BadData:
            raise ValueError("not one of ours") from None
        return value
