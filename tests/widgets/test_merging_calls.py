"""Merges through the client: the same of a real service and of its twin."""

import pandas as pd
import pytest
from mooring_widgets import errors
from mooring_widgets.client import MergeCounts, MergePlan, Progress
from support_sides import Sides, owners


def test_a_preview_counts_and_lists_without_changing_anything(sides: Sides) -> None:
    """What is new, what is filled and what is in conflict; a spelling is no conflict."""
    ws, here, there = sides
    plan = MergePlan(there.name)
    found = ws.wait(ws.client.preview_merge(here.name, plan))
    assert found.counts == MergeCounts(
        new_asset_count=1,
        changed_asset_count=1,
        kept_asset_count=2,
        fills={"owner": 1},
        conflicts={"owner": 1},
    )
    page = ws.wait(ws.client.list_merge_conflicts(here.name, plan, fields=["owner"]))
    [conflict] = page.items
    assert (conflict.asset.owner, conflict.source_asset.owner) == ("Bob", "Eve")
    assert conflict.fields == (("owner", "target"),)
    assert owners(ws, here)["beta"] == "Bob"


def test_a_merge_does_what_was_chosen_keeps_what_it_drops_and_is_undone(sides: Sides) -> None:
    """By one asset's field here; the record has both values, and the session is then as it was."""
    ws, here, there = sides
    before = owners(ws, here)
    [conflict] = ws.wait(ws.client.list_merge_conflicts(here.name, MergePlan(there.name))).items
    plan = MergePlan(there.name, asset_choices={(conflict.asset.name, "owner"): "source"})
    digest = ws.wait(ws.client.preview_merge(here.name, plan)).digest
    steps: list[Progress] = []
    record = ws.wait(ws.client.merge_sessions(here.name, plan, digest=digest, on_progress=steps.append))
    assert steps
    assert (record.target_session, record.source_session) == (here.name, there.name)
    assert record.revertible
    assert record.counts.conflicts_to_source_count == 1
    assert owners(ws, here) == {"alpha": "Ann", "beta": "Eve", "gamma": "Cid", "delta": "Dan"}
    assert ws.wait(ws.client.get_session(there.name)).archive_time is not None
    drops = ws.wait(ws.client.list_merge_drops(record.name)).items
    told = {
        drop.display_name: [(v.field, v.target, v.source, v.taken) for v in drop.values] for drop in drops
    }
    assert told["beta"] == [("owner", "Bob", "Eve", "source")]
    assert ws.wait(ws.client.list_merges(ws.engagement.name)).items[0].name == record.name

    undone = ws.wait(ws.client.revert_merge(record.name))
    assert undone.revert_time is not None
    assert not ws.wait(ws.client.get_merge(record.name)).revertible
    assert owners(ws, here) == before
    assert ws.wait(ws.client.get_session(there.name)).archive_time is None
    with pytest.raises(errors.FailedPrecondition, match="undone before"):
        ws.wait(ws.client.revert_merge(record.name))


def test_what_is_not_what_was_previewed_is_refused(sides: Sides) -> None:
    """Another plan, or other data of a side; nothing is changed then."""
    ws, here, there = sides
    plan = MergePlan(there.name, keep_source=True)
    digest = ws.wait(ws.client.preview_merge(here.name, plan)).digest
    with pytest.raises(errors.Conflict) as other_plan:
        ws.wait(ws.client.merge_sessions(here.name, MergePlan(there.name), digest=digest))
    assert other_plan.value.reason == "MERGE_MOVED"
    more = {"display_name": ["epsilon"], "owner": ["Eve"]}
    ws.import_inventory(pd.DataFrame(more), session=there, name="more")
    with pytest.raises(errors.Conflict):
        ws.wait(ws.client.merge_sessions(here.name, plan, digest=digest))
    assert len(owners(ws, here)) == 3


def test_edits_since_are_lost_only_by_force(sides: Sides) -> None:
    """Undoing over them is refused, and says what would be lost."""
    ws, here, there = sides
    record = ws.wait(ws.client.merge_sessions(here.name, MergePlan(there.name, keep_source=True)))
    assert ws.wait(ws.client.get_session(there.name)).archive_time is None
    [beta] = ws.wait(ws.client.list_assets(here.name, filter="display_name = beta")).items
    ws.wait(ws.client.update_asset(beta.name, {"owner": "Zoe"}))
    with pytest.raises(errors.FailedPrecondition, match="1 edit") as refused:
        ws.wait(ws.client.revert_merge(record.name))
    assert refused.value.reason == "DATA_EDITED"
    ws.wait(ws.client.revert_merge(record.name, force=True))
    assert owners(ws, here)["beta"] == "Bob"


@pytest.mark.parametrize(
    ("strategy", "owner"), [("preserve_target", ("Bob", "")), ("overwrite", ("Eve", "Cid"))]
)
def test_a_strategy_decides_all_of_it(sides: Sides, strategy: str, owner: tuple[str, str]) -> None:
    """The target stays as it is, or the source wins wherever it knows something."""
    ws, here, there = sides
    ws.wait(ws.client.merge_sessions(here.name, MergePlan(there.name, strategy=strategy)))
    found = owners(ws, here)
    assert (found["beta"], found["gamma"], found["delta"]) == (*owner, "Dan")


def test_a_wrong_plan_is_refused(sides: Sides) -> None:
    """A session into itself, and what there is none of."""
    ws, here, there = sides
    with pytest.raises(errors.InvalidArgument, match="another session"):
        ws.wait(ws.client.preview_merge(here.name, MergePlan(here.name)))
    with pytest.raises(errors.InvalidArgument, match="take one of combine"):
        MergePlan(there.name, strategy="mix")
    with pytest.raises(errors.InvalidArgument, match="take one of target"):
        MergePlan(there.name, field_choices={"owner": "mine"})
