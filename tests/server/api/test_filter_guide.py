"""The examples of docs/filtering.md find what they say."""

import re
from pathlib import Path

import pytest
from mooring.v1 import assets_pb2, engagements_pb2, sessions_pb2
from mooring_server.core.lists import ASSETS, DEPENDENCIES, ENGAGEMENTS, SESSIONS
from support_assets import list_dependencies, put_asset, put_dependency
from support_discovery import import_file
from support_server import new_engagement
from support_sessions import make

_GUIDE = (Path(__file__).parents[3] / "docs" / "filtering.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| `(.+)` \| (.*?) ?\|$", re.MULTILINE)
_CSV = b"""name,hostname,environment,operating system,vcpus,type
db-01,db-01.corp,prod,Debian 12,4,server
web-01,web-01.corp,Prod,Ubuntu 22.04 LTS,16,server
web-02,,,Windows Server 2019,,server
"""


def _section(heading):
    return _GUIDE.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def _examples(heading):
    """The filters of a section, and what each finds."""
    table = _section(heading).partition("| filter | finds |\n")[2]
    return [(text, found.split(", ") if found else []) for text, found in _ROW.findall(table)]


def _names(items):
    return [each.display_name for each in items]


def test_sessions(ann):
    """As the guide furnishes them."""
    parent = new_engagement(ann).name
    labels = {"team": "blue", "env": "prod"}
    first = make(ann, parent, "Wave 1", description="Web servers of Ärzte Süd", labels=labels)
    make(
        ann,
        parent,
        "Wave 2",
        type="SESSION_TYPE_VALIDATION_RUN",
        parent_session=first.name,
        labels={"team": "red"},
    )
    make(ann, parent, "Zürich")
    examples = _examples("Sessions")
    assert len(examples) > 15
    for text, found in examples:
        request = sessions_pb2.ListSessionsRequest(parent=parent, filter=text)
        answer = ann.sessions.ListSessions(request)
        assert (_names(answer.sessions), answer.total_size) == (found, len(found)), text


def test_assets(ann):
    """As an import of the guide's servers makes them."""
    session = new_engagement(ann).default_session
    import_file(ann, session, _CSV)
    examples = _examples("Assets")
    assert len(examples) > 10
    for text, found in examples:
        request = assets_pb2.ListAssetsRequest(parent=session, filter=text)
        answer = ann.discovery.ListAssets(request)
        assert (_names(answer.assets), answer.total_size) == (found, len(found)), text


def test_dependencies(ann):
    """As the guide furnishes them."""
    session = make(ann, new_engagement(ann).name, "Wave 1").name
    examples = _examples("Dependencies")
    assert len(examples) == 8
    web, db = (put_asset(ann, f"{session}/assets/{id}", display_name=id).name for id in ("web", "db"))
    for id, fields in (
        ("a", {"source": web, "target": db, "kind": "DEPENDENCY_KIND_FLOW", "port": 5432, "protocol": "tcp"}),
        ("b", {"source": db, "target": db, "kind": "DEPENDENCY_KIND_USES"}),
        ("c", {"source": web, "target": web, "kind": "DEPENDENCY_KIND_FLOW", "port": 80}),
    ):
        put_dependency(ann, f"{session}/dependencies/{id}", **fields)
    for text, found in examples:
        # The guide's session has an id of its own in every run.
        told = text.replace("wave-1", session.rpartition("/")[2])
        answer = list_dependencies(ann, session, filter=told)
        names = [each.name.rpartition("/")[2] for each in answer.dependencies]
        assert (names, answer.total_size) == (found, len(found)), text


def test_engagements(ann):
    """A user's own."""
    for name in ("Fabrikam Süd", "Contoso"):
        new_engagement(ann, name)
    examples = _examples("Engagements")
    assert len(examples) == 3
    for text, found in examples:
        answer = ann.engagements.ListEngagements(engagements_pb2.ListEngagementsRequest(filter=text))
        assert (_names(answer.engagements), answer.total_size) == (found, len(found)), text


@pytest.mark.parametrize(
    ("heading", "list_"),
    [
        ("Sessions", SESSIONS),
        ("Assets", ASSETS),
        ("Dependencies", DEPENDENCIES),
        ("Engagements", ENGAGEMENTS),
    ],
)
def test_every_field_and_order_is_named(heading, list_):
    """The guide names each field and order of a list, and which fields are searched."""
    said = _section(heading)
    for field in [*list_.schema.fields, *(order.value.removesuffix(" desc") for order in list_.orders)]:
        assert f"`{field}`" in said
    searched = said.partition("Fields: ")[2].rpartition(" (searched)")[0]
    assert sorted(searched.replace("`", "").split()) == sorted(list_.schema.searched())
