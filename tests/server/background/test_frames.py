"""Frames: what goes in comes out, whatever texts are in it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mooring_server.background import frames
from mooring_server.core.staging import stage
from mooring_server.errors import Aborted, FieldViolation, InvalidArgument, MooringError, ResourceExhausted
from mooring_server.ingest import AssetRow, ColumnUse, DependencyRow, End, RejectedRow
from mooring_server.ingest.preview import Preview
from support_store import START

# Also half a surrogate pair, line ends of all kinds, and NUL.
TEXTS = st.text(st.characters(), max_size=30)
ENDS = st.builds(End, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, st.just("server"))
LINKS = st.builds(
    DependencyRow,
    TEXTS,
    st.integers(1, 2**31),
    ENDS,
    ENDS,
    st.sampled_from(("flow", "runs_on")),
    st.none() | st.integers(0, 65_535),
    TEXTS,
    TEXTS,
    TEXTS,
    st.dictionaries(TEXTS, TEXTS, max_size=3),
    st.integers(0, 9),
    st.booleans(),
)
REJECTED = st.builds(RejectedRow, TEXTS, st.integers(1, 2**31), TEXTS)


@given(TEXTS)
def test_a_frame_is_one_line(text):
    """Whatever its texts hold; its end is the only end of a line in it."""
    line = frames.to_line("end", [text])
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert frames.from_line(line) == ("end", [text])


@given(st.lists(LINKS, max_size=3))
def test_dependencies(links):
    """A frame that is put together from parts is read as one that is made at once."""
    plain = list(map(frames.link_to_json, links))
    line = frames.to_line_of("links", map(frames.to_json, plain))
    assert line == frames.to_line("links", plain)
    tag, payload = frames.from_line(line)
    assert (tag, list(map(frames.link_from_json, payload))) == ("links", links)


@given(TEXTS, st.lists(REJECTED, max_size=3))
def test_rows(text, rejected):
    """Assets arrive as the tuples that the store takes."""
    row = AssetRow("vInfo", 7, "name:web-1", "server", {"display_name": "web-1", "owner": text}, {"a": text})
    staged = [
        stage(replace(row, implied=implied), "f", "s", START, repeated=True) for implied in (True, False)
    ]
    plain = {"assets": staged, "rejected": list(map(frames.rejected_to_json, rejected))}
    _, payload = frames.from_line(frames.to_line("rows", plain))
    assert frames.rows_from_json(payload) == (staged, rejected)


@given(LINKS, REJECTED, TEXTS)
def test_a_preview(link, rejected, text):
    """All of it; lists of an asset's fields are lists afterwards."""
    preview = Preview(
        kind="table",
        candidates=(("table", text, 0.5), ("rvtools", "RVTools", 0.25)),
        sheets=(text, "b"),
        sheet=text,
        columns=((ColumnUse(text, "memory_bytes", "MiB", True), (text, "2")), (ColumnUse("b", ""), ())),
        assets=(
            AssetRow(
                "", 1, "name:a", "server", {"ip_addresses": ["10.0.0.1"], "cpu_cores": 0.5}, {}, 2, True
            ),
        ),
        dependencies=(link,),
        rejected=(rejected,),
        notes=(text,),
        row_total=None,
        rows_examined=4,
        encoding="utf-8",
    )
    _, payload = frames.from_line(frames.to_line("preview", frames.preview_to_json(preview)))
    assert frames.preview_from_json(payload) == preview


@pytest.mark.parametrize(
    "failure",
    [
        InvalidArgument("no table", reason="UNREADABLE_INVENTORY"),
        InvalidArgument("a: b", violations=[FieldViolation("a", "b"), FieldViolation("c", "d")]),
        ResourceExhausted("too much"),
        Aborted("moved", reason="DATA_VERSION_MOVED"),
        MooringError("a fault"),
    ],
)
def test_a_failure(failure):
    """Its type, its reason, its words, and the fields that it names."""
    _, payload = frames.from_line(frames.to_line("failure", frames.failure_to_json(failure)))
    found = frames.failure_from_json(payload)
    assert type(found) is type(failure)
    assert (found.message, found.reason) == (failure.message, failure.reason)
    assert getattr(found, "violations", None) == getattr(failure, "violations", None)
