"""Clones share data until it is written: whatever is done to one session, no other one's data changes."""

import random
from collections.abc import Callable, Iterator

import grpc
import pytest
from mooring.v1 import imports_pb2, sessions_pb2
from mooring_server.settings import Settings
from support_assets import delete_asset, list_assets, put_asset
from support_calls import unique
from support_discovery import import_file
from support_evidence import kind
from support_server import Caller, HeaderAuth, Server, new_engagement, serving

NAMES = tuple(f"asset {letter}" for letter in "abcdef")
_UNLIMITED = {"read_rate": "", "write_rate": "", "bulk_rate": ""}
Data = dict[str, str]


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    with serving(
        Settings(database=database_url, port=0, **_UNLIMITED), authenticator=HeaderAuth()
    ) as running:
        yield running


class Estate:
    """Sessions of one engagement, and what each of them must show: its assets' owners, by their names."""

    def __init__(self, owner: Caller, chance: random.Random) -> None:
        self._owner = owner
        self._chance = chance
        self.engagement = new_engagement(owner)
        self.data: dict[str, Data] = {self.engagement.default_session: {}}
        # By session: its newest import, what was there before, and whether it was edited since.
        self._undo: dict[str, tuple[str, Data]] = {}

    def step(self) -> None:
        """Does something to one of the sessions."""
        session = self._chance.choice(list(self.data))
        acts: list[Callable[[str], None]] = [self.edit, self.edit, self.remove, self.bring, self.undo]
        if len(self.data) < 6:
            acts += [self.clone, self.clone]
        self._chance.choice(acts)(session)

    def clone(self, session: str) -> None:
        """A session that begins with another one's data."""
        request = sessions_pb2.CreateSessionRequest(parent=self.engagement.name, source_session=session)
        request.session.display_name = unique()
        self.data[self._owner.sessions.CreateSession(request).name] = dict(self.data[session])

    def edit(self, session: str) -> None:
        """One asset has another owner, or is new."""
        name, value = self._chance.choice(NAMES), unique()
        id = name.replace(" ", "-")
        for each in list_assets(self._owner, session).assets:
            if each.display_name == name:
                id = each.name.rpartition("/")[2]
        put_asset(self._owner, f"{session}/assets/{id}", display_name=name, owner=value)
        self.data[session][name] = value

    def remove(self, session: str) -> None:
        """One asset is gone."""
        for each in list_assets(self._owner, session).assets[:1]:
            delete_asset(self._owner, each.name)
            del self.data[session][each.display_name]

    def bring(self, session: str) -> None:
        """An inventory is imported."""
        rows = {name: unique() for name in self._chance.sample(NAMES, 3)}
        text = "name,owner\n" + "".join(f"{name},{value}\n" for name, value in rows.items())
        brought = import_file(self._owner, session, text.encode())
        self._undo[session] = getattr(brought, "import"), dict(self.data[session])
        self.data[session].update(rows)

    def undo(self, session: str) -> None:
        """The newest import is undone, with all that was edited since."""
        if session in self._undo:
            name, before = self._undo.pop(session)
            self._owner.discovery.RevertImport(imports_pb2.RevertImportRequest(name=name, force=True))
            self.data[session] = before

    def verify(self) -> int:
        """Every session shows what it must; how many were looked at."""
        for session, data in self.data.items():
            found = list_assets(self._owner, session)
            assert {each.display_name: each.owner for each in found.assets} == data, session
            assert found.total_size == len(data)
        return len(self.data)


def test_clones_share_nothing_that_is_written(server, database_url, size, figure):
    """Random edits, imports, undoings and clones, with every session looked at after each of them."""
    looks, walks, steps = 0, size(6, 100), size(12, 40)
    for seed in range(walks):
        estate = Estate(server.user(f"ann-{unique()}"), random.Random(seed))
        for step in range(steps):
            try:
                estate.step()
                looks += estate.verify()
            except (AssertionError, grpc.RpcError) as failure:
                raise AssertionError(f"walk {seed}, step {step}: {failure}") from failure
    assert server.app.store.check() == []
    figure(
        f"{walks} walks of {steps} clones, edits, imports and undoings on {kind(database_url)}, "
        f"{looks:,} looks at sessions",
        "0 saw another one's writes; the doctor finds nothing",
    )
