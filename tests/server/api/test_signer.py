"""Opaque tokens are taken as they were given, and in no other way."""

import string

import pytest
from mooring_server.api.signer import Signer

SIGNER = Signer(b"a key", "a purpose")
VALUE = [["users/ann", "list"], ["key", 7]]
LETTERS = string.ascii_letters + string.digits + "-_"


def test_a_token_gives_its_value_back():
    """What was sealed comes out again, with the same key and for the same purpose alone."""
    token = SIGNER.seal(VALUE)
    assert SIGNER.open(token) == VALUE
    for other in (Signer(b"another", "a purpose"), Signer(b"a key", "another")):
        with pytest.raises(ValueError, match="ours"):
            other.open(token)


def test_no_other_letter_anywhere_is_taken():
    """Also not where a letter's last bits carry nothing, as at the end of a signature."""
    token = SIGNER.seal(VALUE)
    for at, real in enumerate(token):
        for letter in LETTERS.replace(real, ""):
            with pytest.raises(ValueError):  # noqa: PT011 - any of its messages
                SIGNER.open(token[:at] + letter + token[at + 1 :])
