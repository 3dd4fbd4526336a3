"""What `pip install mooring` brings, built and installed for real."""

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
        "mooring_server/store/migrations/0001_initial.py",
        "mooring_widgets/static/mooring.js",
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
    assert command.returncode != 0
    assert 'pip install "mooring[server]"' in command.stderr
    assert "Traceback" not in command.stderr
    widgets = run(python, "-c", "import mooring_widgets")
    assert 'pip install "mooring[widgets]"' in widgets.stderr


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
