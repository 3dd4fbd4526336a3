import csv
import io

from mooring_server.cli.demo import EXAMPLES
from mooring_server.cli.demo_data import COLUMNS, Scenario, inventory
from mooring_server.ingest.asset_types import type_of_text


def rows(scenario):
    return list(csv.DictReader(io.StringIO(inventory(scenario))))


def test_the_same_scenario_makes_the_same_bytes():
    """The demo is reproducible: chance comes from the scenario alone."""
    assert inventory(Scenario("northgate", 0, 12, moved=0.5)) == inventory(
        Scenario("northgate", 0, 12, moved=0.5)
    )


def test_every_example_session_is_different():
    """A switch between any two of the demo's sessions changes what is shown."""
    texts = [inventory(scenario) for example in EXAMPLES for scenario in example.sessions.values()]

    assert len(texts) >= 6
    assert len(set(texts)) == len(texts)
    assert len({text.count("\n") for text in texts}) == len(texts)


def test_examples_have_a_realistic_size():
    """Each session holds a few hundred to about 2,000 assets, with unique names and ids."""
    for example in EXAMPLES:
        for name, scenario in example.sessions.items():
            found = rows(scenario)
            assert 200 <= len(found) <= 2_000, name
            assert len({row["Name"] for row in found}) == len(found), name
            assert len({row["ID"] for row in found}) == len(found), name


def test_every_row_says_what_it_is():
    """Each row has all columns and a type that the importer knows."""
    found = rows(Scenario("northgate", 0, 20, moved=0.5))

    assert all(tuple(row) == COLUMNS for row in found)
    assert {type_of_text(row["Type"]) for row in found} == {
        "application",
        "container",
        "database",
        "load_balancer",
        "network",
        "security_group",
        "server",
        "storage",
        "virtual_machine",
    }


def test_scenarios_of_one_estate_share_what_did_not_move():
    """A machine that two scenarios take in keeps its name, its id and its size."""
    before = {row["ID"]: row for row in rows(Scenario("northgate", 0, 40))}
    after = {row["ID"]: row for row in rows(Scenario("northgate", 20, 40, moved=0.6))}

    # A site has as many hosts as its machines need: those are another scenario's own.
    shared = {key for key in before.keys() & after.keys() if "host" not in before[key]["Name"]}
    assert len(shared) > 100
    for column in ("Name", "Owner", "vCPUs", "Memory (MB)", "Environment"):
        assert all(before[key][column] == after[key][column] for key in shared), column
