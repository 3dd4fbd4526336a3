"""The Python of `docs/context.md`, run from its beginning to its end as one script."""

import re
from pathlib import Path

import pytest
from mooring_server.settings import Settings
from support_server import serving

PAGE = Path(__file__).parents[2] / "docs" / "context.md"


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever types the page into a script gets what it says, on a real server."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    with serving(Settings(database=f"sqlite:///{tmp_path / 'm.db'}", port=0, stop_grace_s=0)) as running:
        monkeypatch.setenv("MOORING_SERVER", running.address)
        monkeypatch.setenv("MOORING_DATA_DIR", str(tmp_path / "data"))
        monkeypatch.delenv("MOORING_CONTEXT", raising=False)
        names: dict[str, object] = {}
        for block in blocks:
            exec(compile(block, PAGE.name, "exec"), names)  # noqa: S102 - what the reader would run
        for name in ("ws", "companion", "right"):
            names[name].close()  # type: ignore[attr-defined]
