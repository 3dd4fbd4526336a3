"""Stored answers: opened by their request id, and by nothing else."""

import uuid

import pytest
from cryptography.exceptions import InvalidTag
from mooring_server.api.seals import Seal
from mooring_server.settings import Settings
from support_server import HeaderAuth, new_engagement, serving

REQUEST_ID = "0196b1a0-0000-4000-8000-000000000001"
ANSWER = b"an answer with a secret"


def test_an_answer_opens_with_its_request_id():
    """What was closed with a request id opens with it again, however its letters are written."""
    stored = Seal(REQUEST_ID).close(ANSWER)
    assert Seal(REQUEST_ID.upper()).open(stored) == ANSWER


def test_an_answer_is_closed_to_others():
    """Neither another id nor the key that it is stored under opens an answer; none looks the same twice."""
    seal = Seal(REQUEST_ID)
    stored = seal.close(ANSWER)
    assert ANSWER not in stored
    assert seal.close(ANSWER) != stored
    for other in (str(uuid.uuid4()), seal.key):
        with pytest.raises(InvalidTag):
            Seal(other).open(stored)


def test_the_database_has_neither_request_id_nor_answer(tmp_path):
    """Nobody who reads the database's files learns what was answered, or can ask for it again."""
    request_id = str(uuid.uuid4())
    with serving(
        Settings(database=f"sqlite:///{tmp_path}/mooring.db", port=0), authenticator=HeaderAuth()
    ) as server:
        answer = new_engagement(server.user("ann"), "Contoso", request_id=request_id)
        files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"Contoso" in files  # the row itself
    assert request_id.encode() not in files
    assert answer.SerializeToString(deterministic=True) not in files
