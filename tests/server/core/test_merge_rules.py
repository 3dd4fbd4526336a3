"""What a merge does with one asset, field by field; `tests/evidence/test_merges.py` has the many."""

from dataclasses import replace
from datetime import timedelta

import pytest
from mooring_server.core.merging import Rules, Side, Strategy, merged, settle
from mooring_server.core.staging import digest
from mooring_server.store import AssetType
from support_store import START, asset


def told(**values):
    """An asset of which that is known."""
    made = asset(0, **values)
    return replace(made, digest=digest(made))


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ({"owner": "Ann"}, {"owner": " ANN  "}),
        ({"owner": "Straße"}, {"owner": "STRASSE"}),
        ({"owner": "\uff21\uff22"}, {"owner": "ab"}),
        ({"ip_addresses": ("10.0.0.1", "10.0.0.2")}, {"ip_addresses": ("10.0.0.2", "10.0.0.1")}),
        ({"cpu_cores": 2.0}, {"cpu_cores": 2}),
        ({"type": AssetType.SERVER}, {"type": AssetType.OTHER}),
        ({"attributes": {"Rack": "r1"}}, {"attributes": {"Rack": "R1"}}),
    ],
)
def test_what_means_the_same_is_no_conflict(mine, theirs):
    """Case, compatibility forms, white space and the order of lists; nor is what one side does not know."""
    assert settle(told(**mine), told(**theirs), Rules()).conflicts == ()


def test_zero_is_known():
    """A number that is 0 is a value: it conflicts with another one, and is no gap to be filled."""
    settled = settle(told(cpu_cores=0.0), told(cpu_cores=2.0), Rules())
    assert settled.conflicts == (("cpu_cores", Side.TARGET),)
    assert settle(told(cpu_cores=None), told(cpu_cores=0.0), Rules()).fills == ("cpu_cores",)


def test_attributes_are_told_apart_by_their_keys():
    """To the letter: two spellings of a key are two attributes."""
    target, source = told(attributes={"Rack": "1"}), told(attributes={"rack": "2"})
    settled = settle(target, source, Rules())
    assert settled.fills == ("attributes.rack",)
    assert merged(target, source, settled, START).attributes == {"Rack": "1", "rack": "2"}


def test_the_nearest_choice_counts():
    """For the asset's field, else for the field, else for all; `newest` compares the assets' times."""
    target, source = told(owner="Ann", status="on"), told(owner="Bob", status="off")
    rules = Rules(Strategy.COMBINE, Side.SOURCE, {"owner": Side.TARGET}, {(target.id, "status"): Side.NEWEST})
    assert dict(settle(target, source, rules).conflicts) == {"owner": Side.TARGET, "status": Side.TARGET}
    later = replace(source, update_time=START + timedelta(seconds=1))
    assert dict(settle(target, later, rules).conflicts)["status"] is Side.SOURCE


def test_what_changes_nothing_is_the_same_asset():
    """The very same one, with its time and its digest; else both are new."""
    target = told(owner="Ann")
    settled = settle(target, told(owner="ann"), Rules())
    assert merged(target, told(owner="ann"), settled, START + timedelta(days=1)) is target
    source = told(owner="Bob")
    settled = settle(target, source, Rules(Strategy.OVERWRITE))
    made = merged(target, source, settled, START + timedelta(days=1))
    assert (made.owner, made.update_time) == ("Bob", START + timedelta(days=1))
    assert made.digest == source.digest


def test_a_mention_becomes_an_asset_by_whoever_has_a_row_about_it():
    """Only what both sides merely mention is still a mention."""
    target, source = told(implied=True), told(owner="Bob", implied=False)
    assert not merged(target, source, settle(target, source, Rules()), START).implied
    both = replace(source, implied=True)
    assert merged(target, both, settle(target, both, Rules()), START).implied
