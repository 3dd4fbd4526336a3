import re
import subprocess
import sys
from importlib.metadata import version

import pytest
from mooring_server.cli import app
from mooring_server.cli.console import Failure
from typer.testing import CliRunner

COMMANDS = ("serve", "migrate", "doctor", "backup", "restore", "import", "token", "demo")


def run(*arguments, **environment):
    plain = {"NO_COLOR": "1", "COLUMNS": "200", "TERM": "dumb"}
    return CliRunner().invoke(app, arguments, env=plain | environment)


def test_help_names_every_command():
    """A stranger who types `mooring --help` sees every command and what exit statuses mean."""
    result = run("--help")

    assert result.exit_code == 0
    for name in COMMANDS:
        assert re.search(rf"^\W*{name}\s+\w", result.output, re.M), name
    assert "75 another server has the data" in " ".join(result.output.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained(command):
    """Each option of each command has a help text of its own."""
    result = run(command, "--help")

    assert result.exit_code == 0
    for line in result.output.splitlines():
        if option := re.match(r"│\s+\*?\s*(--[a-z-]+)(.*)│", line):
            assert len(re.findall(r"[a-z]{2,}", option[2])) >= 2, line


def test_version():
    """`mooring --version` prints the distribution's version and nothing else."""
    result = run("--version")

    assert result.output.split() == ["mooring", version("mooring")]


@pytest.mark.parametrize(
    "arguments",
    [
        ("import",),
        ("import", "file.csv"),
        ("serve", "--port", "99999"),
        ("serve", "--log-level", "loud"),
        ("serve", "--auth", "magic"),
        ("sail",),
    ],
)
def test_wrong_use_has_status_2(arguments):
    """What was typed wrongly ends with status 2, before anything is started."""
    assert run(*arguments).exit_code == 2


def test_a_wrong_variable_is_named():
    """A setting from the environment that is no good is named in one line."""
    result = run("serve", MOORING_HEARTBEAT_S="0")

    assert result.exit_code == 2
    assert "MOORING_HEARTBEAT_S" in result.stderr
    assert result.stderr.count("\n") == 1


def test_failures_are_one_line(monkeypatch):
    """A failure is one line on stderr and its own status, never a traceback, whatever its text holds."""
    from mooring_server.cli import database

    def fail(_url, **_options):
        raise Failure("it [broke]\nbadly")

    monkeypatch.setattr(database, "migrate", fail)
    result = run("migrate")

    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "mooring: it [broke] badly\n")


def test_without_the_server_extra_one_sentence_names_it():
    """The base installation has the command too, which then says what to install."""
    hidden = "import sys; sys.modules['typer'] = None; sys.argv = ['mooring', 'serve']"
    script = f"{hidden}; from mooring_server.__main__ import main; main()"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert result.returncode == 1
    assert 'pip install "mooring[server]"' in result.stderr
    assert result.stderr.count("\n") == 1
