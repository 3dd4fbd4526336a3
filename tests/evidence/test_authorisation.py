"""Who may do what: every RPC, asked by everybody, about what is theirs, what is not and what is not there."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from mooring.v1 import engagements_pb2, users_pb2
from mooring_server.core.policy import POLICY
from mooring_server.settings import Settings
from support_calls import RECIPES, Scene, settle, upload
from support_server import Caller, HeaderAuth, Server, new_engagement, serving

ROLES = ("viewer", "analyst", "manager")
CALLERS = ("anonymous", "stranger", *ROLES, "admin")
MARK = "Top secret"
ANSWERED_IN_PARTS = ("/Watch", "/ReadAssets", "/ReadDependencies", "/ExportSession")
# As long as each other, so that one can stand for the other in a request's bytes.
OWN, FOREIGN, ABSENT = "own-engagement", "foreign-estate", "absent-nowhere"
ABSENT_USER = str(uuid.UUID(int=7))


def test_every_rpc_has_a_recipe() -> None:
    """An RPC that nobody tries here fails the build."""
    assert set(RECIPES) == set(POLICY)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    file = tmp_path_factory.mktemp("authorisation") / "mooring.db"
    with serving(Settings(database=f"sqlite:///{file}", port=0), authenticator=HeaderAuth()) as running:
        yield running


class Cast:
    """The callers, one engagement that the members among them are in, and one that none of them is."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.callers = {name: server.user(name, "admin" if name == "admin" else "write") for name in CALLERS}
        self.callers["anonymous"] = Caller(server.channel)
        owner, outsider = server.user("owner"), server.user("outsider")
        new_engagement(owner, f"Own {MARK}", engagement_id=OWN)
        new_engagement(outsider, f"Foreign {MARK}", engagement_id=FOREIGN)
        self.own = Scene(owner, f"engagements/{OWN}", self._stranger)
        self.foreign = Scene(outsider, f"engagements/{FOREIGN}", self._stranger)
        for name in CALLERS[1:]:
            # Each has an engagement of their own: else some calls would be refused for want of a default.
            new_engagement(self.callers[name], f"Home of {name}", engagement_id=f"home-of-{name}")
        for name in ROLES:
            owner.engagements.CreateMember(
                engagements_pb2.CreateMemberRequest(
                    parent=self.own.engagement,
                    member=engagements_pb2.Member(role=f"ROLE_{name.upper()}"),
                    member_id=self.user(name).partition("/")[2],
                )
            )

    def user(self, name: str) -> str:
        return self.callers[name].users.GetCurrentUser(users_pb2.GetCurrentUserRequest()).name

    def heads(self) -> list[Any]:
        """How often each engagement was changed."""
        return self.server.read(lambda tx: [tx.changes.head(f"engagements/{e}") for e in (OWN, FOREIGN)])

    def _stranger(self) -> Caller:
        return self.server.user(uuid.uuid4().hex)


def outcome(caller: Caller, rpc: str, request: bytes) -> tuple[str, bytes]:
    """The status code, and all the bytes that came with it."""
    try:
        if rpc.endswith(ANSWERED_IN_PARTS):
            stream = caller.channel.unary_stream(f"/{rpc}")(request, timeout=30)
            answer = next(stream)
            stream.cancel()
        elif rpc.endswith("/UploadInventory"):
            pieces = [request, *(piece.SerializeToString() for piece in list(upload("x"))[1:])]
            answer = caller.channel.stream_unary(f"/{rpc}")(iter(pieces), timeout=30)
        else:
            answer = caller.raw(rpc, request)
    except grpc.RpcError as error:
        trailers = {key: value for key, value in error.trailing_metadata() or () if key.startswith("grpc-")}
        return error.code().name, error.details().encode() + b"".join(map(bytes, trailers.values()))
    return "OK", answer


def expected(least: str, name: str, about: str) -> str:
    """The status code that a caller must get."""
    if name == "anonymous":
        return "UNAUTHENTICATED"
    if least == "anybody" or (least == "self" and about == "own"):
        return "OK"
    if name == "admin":
        return "NOT_FOUND" if about == "absent" else "OK"
    if about == "own" and name in ROLES and least in ROLES and ROLES.index(name) >= ROLES.index(least):
        return "OK"
    return "PERMISSION_DENIED"


def test_authorisation_matrix(server: Server, figure: Any) -> None:
    """Each RPC answers whom it must and refuses all others, and a refusal tells nothing."""
    cast = Cast(server)
    rows, wrong, leaks = 0, [], []
    for rpc, recipe in RECIPES.items():
        for name in CALLERS:
            caller = cast.callers[name]
            own = cast.own
            if recipe.least == "self" and name != "anonymous":
                own = Scene(caller, f"engagements/home-of-{name}", cast._stranger)
            refusals = {}
            for about, scene in (("own", own), ("foreign", cast.foreign), ("absent", cast.foreign)):
                request: Message = recipe.build(scene)
                data = request.SerializeToString()
                if about == "absent":
                    data = data.replace(FOREIGN.encode(), ABSENT.encode())
                    data = data.replace(scene.user.partition("/")[2].encode(), ABSENT_USER.encode())
                before = cast.heads()
                code, answer = outcome(caller, rpc, data)
                refused = code != "OK"
                if refused and cast.heads() != before:
                    leaks.append(f"{rpc} by {name} about {about}: was refused and changed something")
                if not refused:
                    settle(scene.owner, rpc, answer)
                recipe.after(scene)
                rows += 1
                wanted = expected(recipe.least, name, about)
                if code != wanted:
                    wrong.append(f"{rpc} by {name} about {about}: {code}, not {wanted}: {answer[:200]!r}")
                shown = about != "own" and name not in ("admin",) and recipe.least != "anybody"
                if MARK.encode() in answer and (refused or shown or name in ("anonymous", "stranger")):
                    leaks.append(f"{rpc} by {name} about {about}: shows what it must not")
                for real, stand_in in ((FOREIGN, ABSENT), (scene.user.partition("/")[2], ABSENT_USER)):
                    answer = answer.replace(real.encode(), stand_in.encode())
                refusals[about] = answer
            foreign, absent = (_without_ids(refusals[about]) for about in ("foreign", "absent"))
            if name != "admin" and recipe.least != "anybody" and foreign != absent:
                leaks.append(f"{rpc} by {name}: tells what is foreign from what is absent")
    assert not wrong, "\n".join(wrong)
    assert not leaks, "\n".join(leaks)
    figure(
        f"{len(RECIPES)} RPCs x {len(CALLERS)} callers x own, foreign, absent", f"{rows} rows right, 0 leaks"
    )


def _without_ids(answer: bytes) -> bytes:
    """The answer without what two requests for new things differ in."""
    return re.sub(rb"[0-9a-f]{8}-[0-9a-f-]{27}|x[0-9a-f]{32}", b"ID", answer)
