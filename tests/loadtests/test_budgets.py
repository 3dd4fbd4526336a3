import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "loadtests" / "budgets.py"


@pytest.fixture(scope="module")
def budgets():
    """`loadtests/` is no package: Locust puts it on the path, we load the file."""
    spec = spec_from_file_location("budgets", SOURCE)
    module = sys.modules["budgets"] = module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["budgets"]


def seen(budgets, *, create_ms=20, switch_ms=20, calls=100, errors=0):
    return [
        budgets.Measured("CreateSession", calls, errors, create_ms / 2, create_ms),
        budgets.Measured("SwitchSession", calls, 0, switch_ms / 2, switch_ms),
    ]


def test_nothing_is_broken_when_all_is_fast(budgets):
    """Times and errors below their budgets give no complaint."""
    assert list(budgets.broken(seen(budgets, create_ms=499, switch_ms=999, errors=1))) == []


@pytest.mark.parametrize(
    ("measured", "complaint"),
    [
        ({"create_ms": 500}, "CreateSession took 500 ms"),
        ({"switch_ms": 1_000}, "SwitchSession took 1,000 ms"),
        ({"errors": 2}, "2 of 200 calls failed"),
        ({"calls": 0}, "CreateSession was never called"),
    ],
)
def test_each_budget_is_held(budgets, measured, complaint):
    """A budget that is reached is broken, and the sentence says by how much."""
    assert any(sentence.startswith(complaint) for sentence in budgets.broken(seen(budgets, **measured)))


def test_an_rpc_that_was_not_called_breaks_its_budget(budgets):
    """A run that measured nothing proves nothing."""
    assert len(list(budgets.broken([]))) == len(budgets.BUDGETS)


def test_a_budget_can_be_changed_for_a_run(budgets):
    """A change replaces the budget of its RPC, or adds one; the others stay."""
    changed = {one.rpc: one.p95_max_ms for one in budgets.budgets(["CreateSession=0", "ListAssets=250"])}

    assert changed == {"CreateSession": 0, "SwitchSession": 1_000, "ListAssets": 250}
    assert list(budgets.broken(seen(budgets), budgets.budgets(["CreateSession=0"]))) == [
        "CreateSession took 20 ms at p95, budget 0 ms"
    ]
