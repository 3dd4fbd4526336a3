"""What `pip install mooring` brings, built and installed for real."""

import ast
import re
import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMPORT_STUBS = (
    "import google.protobuf; "
    + "; ".join(
        f"import mooring.v1.{name}_pb2, mooring.v1.{name}_pb2_grpc"
        for name in ("users", "engagements", "sessions", "discovery", "watch")
    )
    + "; print(google.protobuf.__version__)"
)


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=240, env=environment or None
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    built = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT)
    assert built.returncode == 0, built.stderr
    return next(out.glob("*.whl"))


def test_without_extras_it_asks_for_the_stubs_needs_alone(wheel: Path) -> None:
    """Without an extra the wheel depends on what the stubs import and on nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    plain = {
        re.split("[<>=!~ ;]", need)[0]
        for need in metadata.get_all("Requires-Dist", [])
        if "extra ==" not in need
    }
    assert plain == {"grpcio", "protobuf", "googleapis-common-protos"}


def test_the_wheel_brings_bundle_migrations_and_types(wheel: Path) -> None:
    """The wheel carries the front end's bundle, the migrations and the stubs with their types."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {
        "mooring/v1/sessions_pb2.py",
        "mooring/v1/sessions_pb2.pyi",
        "mooring/v1/sessions.proto",
        "mooring_server/notebooks/01-tour.ipynb",
        "mooring_server/notebooks/02-switching-and-comparing.ipynb",
        "mooring_server/notebooks/03-merging.ipynb",
        "mooring_server/store/migrations/0001_initial.py",
        "mooring_widgets/static/selector.js",
    } <= names


@pytest.mark.timeout(300)
def test_a_missing_extra_is_named(wheel: Path, tmp_path: Path) -> None:
    """Without extras the stubs import, and the command and the widgets name what they lack."""
    venv.create(tmp_path, with_pip=True)
    python = tmp_path / "bin" / "python"
    installed = run(python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel)
    assert installed.returncode == 0, installed.stderr
    assert run(python, "-c", IMPORT_STUBS).returncode == 0
    command = run(tmp_path / "bin" / "mooring", "serve")
    assert command.returncode == 1
    assert 'pip install "mooring[server]"' in command.stderr
    assert command.stderr.count("\n") == 1
    widgets = run(python, "-c", "import mooring_widgets")
    assert widgets.stderr.splitlines()[-1].startswith("ImportError: ")
    assert 'pip install "mooring[widgets]"' in widgets.stderr


SERVER = "from mooring_server.__main__ import main; sys.argv = ['mooring', '--version']; main()"
WIDGETS = "import mooring_widgets"


def imported(folder: Path) -> set[str]:
    """The first names of what the modules below a folder import, at any time."""
    names = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - {"mooring", "mooring_server", "mooring_widgets"}


@pytest.mark.parametrize(
    ("package", "start"), [("server/mooring_server", SERVER), ("widgets/mooring_widgets", WIDGETS)]
)
def test_a_partial_installation_is_named(package: str, start: str) -> None:
    """Each library of an extra that a package ever imports is missed by name, before anything is done."""
    extra = package.rpartition("_")[2]
    not_its_own = {
        *("google", "grpc"),  # of the installation without extras
        *("ipykernel", "jupyterlab", "polars"),  # asked for only where they run
        *("pydantic", "pydantic_core", "playhouse"),  # come with pydantic_settings and peewee
        "IPython",  # comes with ipywidgets
    }
    libraries = imported(ROOT / package) - not_its_own
    assert len(libraries) > 3
    for library in sorted(libraries):
        hidden = run(sys.executable, "-c", f"import sys; sys.modules['{library}'] = None; {start}")
        assert hidden.returncode == 1, library
        assert f"({library} is missing)" in hidden.stderr.splitlines()[-1]
        assert f'pip install "mooring[{extra}]"' in hidden.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("start", "module"), [(SERVER, "mooring_server.cli.config"), (WIDGETS, "mooring_widgets.errors")]
)
def test_another_missing_module_is_not_blamed_on_the_extra(start: str, module: str) -> None:
    """A module that is no library of the extra shows its own error: installing the extra would not help."""
    hidden = run(sys.executable, "-c", f"import sys; sys.modules['{module}'] = None; {start}")
    assert "ModuleNotFoundError" in hidden.stderr.splitlines()[-1]
    assert "pip install" not in hidden.stderr


@pytest.mark.timeout(300)
@pytest.mark.parametrize("release", ["5.29.6", "6.33.6", "7.36.2"])
def test_stubs_import_under_each_protobuf(release: str, tmp_path: Path) -> None:
    """The committed stubs import under protobuf 5, 6 and 7, whichever a kernel already has."""
    installed = run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--target", tmp_path),
        *(f"protobuf=={release}", "googleapis-common-protos"),
    )
    assert installed.returncode == 0, installed.stderr
    imported = run(sys.executable, "-c", IMPORT_STUBS, PYTHONPATH=f"{tmp_path}:{ROOT / 'protos'}")
    assert imported.stdout.strip() == release, imported.stderr
