"""Merges in a notebook without a wizard: the same of a real service and of its twin."""

import asyncio

import pytest
from mooring_widgets import errors
from mooring_widgets.client import MergedValue, Progress
from support_sides import Sides, owners


def test_what_is_previewed_is_merged_and_undone(sides: Sides) -> None:
    """A preview tells what it would do, does it, and the newest merge is undone exactly."""
    ws, here, _ = sides
    before = owners(ws, here)
    planned = ws.preview_merge("There", into="Here", conflicts="source")
    assert repr(planned).splitlines() == [
        "Merge “There” into “Here”: combine, conflicts to the source",
        "              New  Changed  Kept",
        "assets        1    2        1",
        "dependencies  0    0        0",
        "Field  Fills  Conflicts",
        "owner  1      1",
        "1 of 1 conflicts go to the source; conflicts() lists them, merge() does it",
    ]
    assert "<th" in planned._repr_html_()
    [conflict] = planned.conflicts()
    assert (conflict.name, conflict.field, conflict.target, conflict.source, conflict.taken) == (
        "beta",
        "owner",
        "Bob",
        "Eve",
        "source",
    )
    assert owners(ws, here) == before
    steps: list[Progress] = []
    record = planned.merge(on_progress=steps.append)
    assert steps
    assert record.counts == planned.counts
    assert owners(ws, here) == before | {"beta": "Eve", "gamma": "Cid", "delta": "Dan"}
    assert [(each.name, each.revertible) for each in ws.merges()] == [(record.name, True)]
    assert "can be undone" in repr(ws.merges())
    assert "There" not in [each.display_name for each in ws.sessions()]
    ws.revert_merge(validate_only=True)
    assert owners(ws, here)["beta"] == "Eve"
    assert ws.revert_merge().revert_time is not None
    assert owners(ws, here) == before
    assert "There" in [each.display_name for each in ws.sessions()]


def test_choices_go_down_to_one_assets_field(sides: Sides) -> None:
    """An asset's name will do; its choice goes before that of the field, which goes before the rule."""
    ws, here, _ = sides
    ws.switch(here)
    record = ws.merge(
        "There",
        conflicts="target",
        fields={"owner": "target"},
        assets={("beta", "owner"): "source"},
        keep_source=True,
        on_progress=lambda _: None,
    )
    assert owners(ws, here)["beta"] == "Eve"
    assert record.plan.keep_source
    left = ws.merge_drops()
    asset = next(
        each.name for each in ws.wait(ws.client.list_assets(here.name)).items if each.display_name == "beta"
    )
    assert MergedValue(asset, "beta", "owner", "Bob", "Eve", "source") in left
    frame = left.to_pandas()
    assert [*frame.columns] == ["resource", "name", "field", "target", "source", "taken"]
    assert len(ws.merge_drops(record, limit=1)) == 1


def test_who_awaits_has_the_same(sides: Sides) -> None:
    """The async twins preview, merge, list and undo."""
    ws, here, there = sides

    async def walk() -> None:
        planned = await ws.aio.preview_merge(there, into=here, strategy="overwrite")
        record = await ws.aio.merge(there, into=here, strategy="overwrite", keep_source=True)
        assert record.counts == planned.counts
        assert [each.name for each in await ws.aio.merges()] == [record.name]
        assert await ws.aio.merge_drops(record.name)
        assert (await ws.aio.revert_merge(record)).revert_time is not None

    asyncio.run(walk())


def test_what_cannot_be_merged_says_so(sides: Sides) -> None:
    """Names, fields, sides and strategies that there are not; what moved, and what was edited since."""
    ws, here, there = sides
    with pytest.raises(errors.NotFound, match="did you mean 'There'"):
        ws.merge("Ther", into="Here")
    with pytest.raises(errors.InvalidArgument, match="did you mean 'owner'"):
        ws.preview_merge("There", into="Here", fields={"ownr": "source"})
    with pytest.raises(errors.InvalidArgument, match="no strategy 'union'"):
        ws.preview_merge("There", into="Here", strategy="union")
    with pytest.raises(errors.InvalidArgument, match="no side 'theirs'"):
        ws.preview_merge("There", into="Here", conflicts="theirs")
    with pytest.raises(errors.NotFound, match="no asset 'nobody'"):
        ws.preview_merge("There", into="Here", assets={("nobody", "owner"): "source"})
    with pytest.raises(errors.FailedPrecondition, match=r"ws\.merges"):
        ws.revert_merge()
    planned = ws.preview_merge(there, into=here)
    edited = f"{here.name}/assets/new"
    ws.wait(ws.client.update_asset(edited, {"display_name": "zeta"}, allow_missing=True))
    with pytest.raises(errors.Conflict) as refusal:
        planned.merge(on_progress=lambda _: None)
    assert refusal.value.reason == "MERGE_MOVED"
    record = ws.preview_merge(there, into=here).merge(on_progress=lambda _: None)
    ws.wait(ws.client.update_asset(edited, {"owner": "Zoe"}))
    with pytest.raises(errors.FailedPrecondition) as refusal:
        ws.revert_merge(record)
    assert refusal.value.reason == "DATA_EDITED"
    assert ws.revert_merge(record, force=True).revert_time is not None
