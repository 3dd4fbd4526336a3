import re
import shlex
from pathlib import Path

import pytest
from mooring_server.cli import app
from support_cli import runner, serving
from typer.main import get_command

GUIDE = (Path(__file__).parents[3] / "docs" / "command-line.md").read_text("utf-8")

_CHANGING = (
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID"),
    (r"^[0-9a-f][0-9a-f-]{7,}\b", "ID"),
    (r"\b[0-9a-f]{64}\b", "SHA"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "TIME"),
    (r"(?<=dependency, )\S+ KiB", "SIZE"),  # new ids are packed a little better or worse
    (r"─+", "─"),
    (r" +", " "),
)


def examples(text):
    """What is typed in each example, and what it answers."""
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.M | re.S):
        yield from re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M)


def steady(text):
    """A text without what differs from run to run."""
    for pattern, stands_for in _CHANGING:
        text = re.sub(pattern, stands_for, text, flags=re.M)
    return [line.rstrip() for line in text.splitlines()]


def leaves(command, path=()):
    """Every command, with what has to be typed for it."""
    children = getattr(command, "commands", None)
    if not children:
        yield path
        return
    for name, child in children.items():
        yield from leaves(child, (*path, name))


ALL = sorted(leaves(get_command(app)))


@pytest.fixture
def run_anew(folder, tmp_path):
    """Runs a command against a server that nobody else has used."""
    with serving("--port", 0, data_folder=folder) as server:
        yield runner(server, tmp_path)


def test_the_examples_answer_as_documented(run_anew, tmp_path, monkeypatch):
    """Each example of the guide, run after those before it, prints what the guide says."""
    monkeypatch.chdir(tmp_path)
    for typed, answer in examples(GUIDE):
        program, *arguments = shlex.split(typed)
        if program == "cat":
            file = tmp_path / arguments[0]
            if file.suffix == ".csv" and file.name == "estate.csv":
                file.write_text(answer)
            assert file.read_text() == answer
            continue
        result = run_anew(*arguments)

        assert result.exit_code == 0, result.output
        assert steady(result.output) == steady(answer), typed


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_is_in_the_guide(path):
    """A command has a row of the guide's table, and one of discovery data a section too."""
    noun, *verb = path
    row, *_ = re.findall(rf"^\| (.*`{noun}[` ].*)$", GUIDE, re.M)
    assert f"`{' '.join(path)}`" in row or f"`{verb[0]}`" in row


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_shows_its_help(path, run):
    """In 80 columns a command says what it is for, and something about each of its options and arguments."""
    result = run(*path, "--help")

    assert result.exit_code == 0
    assert max(map(len, result.output.splitlines())) <= 80
    shown = " ".join(result.output.split())
    for parameter in _parameters(path):
        assert parameter in shown
    for option, said in re.findall(r"^│ +\*? *(--?[a-z-]+)(.*)│$", result.output, re.M):
        assert len(re.findall(r"[A-Za-z]{2,}", said)) >= 2, option


def _parameters(path):
    command = get_command(app)
    for name in path:
        command = command.commands[name]
    return [option for one in command.params for option in one.opts if option.startswith("--")]
