import json
from uuid import uuid4

import pytest
from mooring_server.cli.console import ExitCode

SERVERS = (
    "Name,Type,Environment,vCPUs\n"
    "web-01,Server,Production,8\n"
    "web-02,Server,Test,4\n"
    "db-01,Database,Production,16\n"
)


@pytest.fixture
def session(run, tmp_path):
    """A session of its own with three assets."""
    file = tmp_path / "servers.csv"
    file.write_text(SERVERS)
    name = f"Session {uuid4()}"
    result = run("import", file, "--session", name)
    assert result.exit_code == 0, result.output
    return name


@pytest.fixture
def asked(run):
    """Runs a command with --json and reads what it says."""

    def ask(*arguments):
        result = run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return ask


def refused(result, hint, code=ExitCode.FAILED):
    assert result.exit_code == code, result.output
    assert hint in result.stderr
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1


def test_a_list_is_filtered_ordered_and_limited(asked, run, session):
    """--filter, --order-by and --limit do what they say, and the rest is counted."""
    listed = asked("assets", "list", session, "--filter", "type = SERVER", "--order-by", "display_name desc")
    first = run("assets", "list", session, "--limit", "1").stdout

    assert [one["display_name"] for one in listed["assets"]] == ["web-02", "web-01"]
    assert (listed["total_size"], listed["total_size_at_least"]) == (2, False)
    assert "1 of 3 assets; --limit 0 shows all" in first
    assert "web-01" not in first


def test_an_empty_list_says_so(asked, run, session):
    """What nothing is true of is a sentence for people and an empty list for programs."""
    nothing = ("--filter", "environment = nowhere")
    assert "No asset" in run("assets", "list", session, *nothing).stdout
    assert asked("assets", "list", session, *nothing)["assets"] == []
    assert "no dependencies" in run("dependencies", "list", session).stdout


def test_a_wrong_filter_says_where(run, session):
    """The service's own words about a filter are passed on."""
    refused(run("assets", "list", session, "--filter", "colour = red"), "colour")


def test_an_asset_is_made_once(asked, session):
    """--create makes an asset of that name; said again, it finds it."""
    one = asked("assets", "set", session, "Harbour Nine", "type=virtual machine", "cpu_cores=2", "--create")
    two = asked("assets", "set", session, "Harbour Nine", "memory_bytes=16GiB", "--create")
    own = asked("assets", "set", session, "harbour-10", "--create")

    assert (one["type"], one["name"]) == ("virtual_machine", two["name"])
    assert (two["cpu_cores"], two["memory_bytes"]) == (2, 16 * 2**30)
    assert own["name"].endswith("/assets/harbour-10")
    assert asked("assets", "list", session)["total_size"] == 5


def test_setting_leaves_the_rest(asked, session):
    """Only what is named is set: other attributes stay, and a field without a value is cleared."""
    asked("assets", "set", session, "web-01", "attributes.Rack=A1", "attributes.Row=3")
    asked(
        "assets",
        "set",
        session,
        "web-01",
        "attributes.Rack=",
        "ip_addresses=10.0.0.1, 10.0.0.2",
        "cpu_cores=",
    )
    asset = asked("assets", "show", session, "web-01")

    assert asset["attributes"].get("Row") == "3"
    assert "Rack" not in asset["attributes"]
    assert asset["ip_addresses"] == ["10.0.0.1", "10.0.0.2"]
    assert (asset["cpu_cores"], asset["environment"]) == (None, "Production")


@pytest.mark.parametrize(
    ("assignments", "hint"),
    [
        ((), "owner=Sales"),
        (("ownr=x",), "did you mean owner?"),
        (("implied=true",), "no field implied can be set"),
        (("type=servr",), "virtual_machine"),
        (("cpu_cores=many",), "a count of cores"),
        (("memory_bytes=16 furlongs",), "64GiB"),
        (("attributes=x",), "attributes.KEY=VALUE"),
        (("owner",), "FIELD=VALUE"),
    ],
)
def test_wrong_assignments_are_wrong_use(run, session, assignments, hint):
    """What cannot be set is said with what can, before anything is sent."""
    refused(run("assets", "set", session, "web-01", *assignments), hint, ExitCode.USAGE)


def test_an_absent_asset_is_not_made_unasked(run, session):
    """Without --create an asset that is not there is a failure that says so."""
    refused(run("assets", "set", session, "web-99", "owner=x"), "--create makes it")
    refused(run("assets", "show", session, "web-99"), "there is no asset 'web-99'")


def test_a_name_of_several_wants_an_id(asked, run, session, tmp_path):
    """Where several assets have the name, their ids are told; each can be named by its own."""
    file = tmp_path / "sites.csv"
    file.write_text("Name,Type,Location\ngateway,Server,North\ngateway,Server,South\n")
    asked("import", file, "--session", session)
    listed = asked("assets", "list", session, "--filter", "display_name = gateway")["assets"]
    ids = [one["name"].rpartition("/")[2] for one in listed]

    result = run("assets", "show", session, "gateway")
    assert result.exit_code == ExitCode.FAILED
    assert all(one in result.stderr for one in ids)
    assert asked("assets", "show", session, ids[1]) == asked("assets", "show", session, listed[1]["name"])


def test_deleting_wants_force_for_dependencies(asked, run, session):
    """An asset with dependencies stays unless --force says that they go too."""
    asked("dependencies", "set", session, "web-01", "db-01", "kind=uses", "--create")
    refused(run("assets", "delete", session, "db-01"), "--force deletes them too")
    gone = asked("assets", "delete", session, "db-01", "web-02", "--force")["deleted"]

    assert [(one["asset"]["display_name"], one["dependency_count"]) for one in gone] == [
        ("db-01", 1),
        ("web-02", 0),
    ]
    assert asked("assets", "list", session)["total_size"] == 1
    assert asked("dependencies", "list", session)["dependencies"] == []


def test_nothing_is_deleted_where_one_is_not_there(asked, run, session):
    """All names are looked up before the first asset goes."""
    refused(run("assets", "delete", session, "web-01", "web-99"), "'web-99'")
    assert asked("assets", "list", session)["total_size"] == 3


def test_dependencies_are_told_apart_by_what_they_are_known_by(asked, run, session):
    """Two ways of need between the same assets: one is named by its port, or by its id."""
    ends = ("web-01", "db-01")
    one = asked("dependencies", "set", session, *ends, "kind=flow", "port=5432", "protocol=tcp", "--create")
    two = asked("dependencies", "set", session, *ends, "kind=flow", "port=80", "--create")
    again = asked("dependencies", "set", session, *ends, "kind=flow", "port=80", "--create")
    refused(run("dependencies", "set", session, *ends, "description=x"), "port=5432")
    by_port = asked(
        "dependencies", "set", session, *ends, "port=5432", "description=orders", "attributes.a=b"
    )
    by_id = asked("dependencies", "show", session, *ends, f"id={two['name'].rpartition('/')[2]}")

    assert one["name"] != two["name"] == again["name"] == by_id["name"]
    assert (by_port["name"], by_port["description"], by_port["attributes"]) == (
        one["name"],
        "orders",
        {"a": "b"},
    )
    assert (by_port["source_display_name"], by_port["port"]) == ("web-01", 5432)
    refused(run("dependencies", "show", session, "db-01", "web-01"), "does not need")
    refused(
        run("dependencies", "show", session, "web-02", "db-01", f"id={one['name'].rpartition('/')[2]}"),
        "another one",
    )


def test_dependencies_of_one_asset(asked, run, session):
    """--of lists what an asset needs and what needs it, and a filter narrows that."""
    for source, target, port in (("web-01", "db-01", 1), ("db-01", "web-02", 2), ("web-02", "web-01", 3)):
        asked("dependencies", "set", session, source, target, "kind=flow", f"port={port}", "--create")

    def ports(*arguments):
        return [one["port"] for one in asked("dependencies", "list", session, *arguments)["dependencies"]]

    assert ports() == [1, 2, 3]
    assert ports("--of", "db-01") == [1, 2]
    assert ports("--of", "db-01", "--filter", "port = 2 OR port = 3") == [2]
    assert ports("--order-by", "create_time desc") == [3, 2, 1]
    deleted = run("dependencies", "delete", session, "web-01", "db-01")
    assert "web-01 → db-01 (flow to port 1): deleted" in deleted.stdout
    assert ports() == [2, 3]


@pytest.mark.parametrize("assignment", ["port=many", "kind=love", "source=x/y", "nonsense"])
def test_wrong_dependencies_are_wrong_use(run, session, assignment):
    """What tells no dependency is wrong use, not a failure of the service."""
    result = run("dependencies", "set", session, "web-01", "db-01", assignment, "--create")
    assert result.exit_code == ExitCode.USAGE, result.output


def test_a_landscape_adds_up(asked, run, session):
    """The numbers of people and of programs are the service's."""
    landscape = asked("landscape", session)
    said = " ".join(run("landscape", session).stdout.split())

    assert (landscape["totals"]["asset_count"], landscape["totals"]["cpu_cores"]) == (3, 28)
    assert "3 assets 28 cores" in said
    assert "Production 2 24" in said
    assert run("landscape", f"{session} no").exit_code == ExitCode.FAILED


def test_a_clone_holds_what_its_source_holds(asked, run, session):
    """It is found by its name, and what is set in it is not seen in the source."""
    made = asked("clone", session, f"Clone of {session}", "--description", "What if")
    assert (made["asset_count"], made["description"]) == (3, "What if")
    result = run("assets", "set", made["name"], "web-01", "owner=Ann")
    assert result.exit_code == 0, result.output
    owners = {one["display_name"]: one["owner"] for one in asked("assets", "list", session)["assets"]}
    assert owners["web-01"] == ""


def test_a_clone_of_nothing_is_refused(run, session):
    """With the names that are like it; so is a name that is taken."""
    refused(run("clone", session + "x", "Clone"), "near it:")
    refused(run("clone", session, session), "another session is called")


def test_two_sessions_are_compared(asked, run, session):
    """Counts, then each asset with what differs; kinds, filters and the table narrow what is listed."""
    other = f"Other of {session}"
    asked("clone", session, other)
    for changed in (
        ("assets", "set", other, "web-01", "owner=Ann"),
        ("assets", "delete", other, "web-02", "--yes"),
        ("assets", "set", other, "lb-01", "--create"),
        ("dependencies", "set", other, "web-01", "db-01", "port=5432", "--create"),
    ):
        assert run(*changed).exit_code == 0
    found = asked("compare", session, other)
    assert found["assets"] == {
        "added_count": 1,
        "removed_count": 1,
        "changed_count": 1,
        "unchanged_count": 1,
    }
    assert [(each["kind"], each["fields"]) for each in found["differences"]] == [
        ("changed", ["owner"]),
        ("removed", []),
        ("added", []),
    ]
    shown = run("compare", session, other).stdout
    assert "owner: (none) → Ann" in shown
    assert "web-01 → db-01" in run("compare", session, other, "--table", "dependencies").stdout
    narrowed = asked("compare", session, other, "--kind", "removed", "--kind", "added", "--filter", "web")
    assert [each["asset"]["display_name"] for each in narrowed["differences"]] == ["web-02"]
    assert "The assets do not differ." in run("compare", session, session).stdout
    assert "No difference is so." in run("compare", session, other, "--filter", "nowhere").stdout
    assert "the first 1 of them; --limit 0 shows all" in run("compare", session, other, "--limit", "1").stdout


def test_what_cannot_be_compared_is_refused(run, session):
    """A mistyped session, kind or table is told with what there is."""
    refused(run("compare", session, "nowhere"), "there is no session 'nowhere'")
    for option in (("--kind", "more"), ("--table", "asset")):
        refused(run("compare", session, session, *option), f"{option[0]} must be", ExitCode.USAGE)
