"""Whether axe-core finds something that keeps a person out."""

from typing import Any

from playwright.sync_api import Page
from support_jupyter import ROOT

AXE = ROOT / "widgets" / "js" / "node_modules" / "axe-core" / "axe.min.js"

# Everything that is on by default, and the size of targets, which is not.
RUN = """([root, options]) => axe.run({ include: [root] }, options)"""
OPTIONS = {"rules": {"target-size": {"enabled": True}}, "resultTypes": ["violations"]}


def axe(page: Page, root: str = ".mooring") -> list[str]:
    """What is wrong inside the elements that match `root`, a line each; none is the aim."""
    if not page.evaluate("() => 'axe' in globalThis"):
        if not AXE.exists():
            raise AssertionError(f"{AXE} is missing; run make test, which installs it")
        page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate(RUN, [root, OPTIONS])
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:200]} {_why(node)}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def _why(node: dict[str, Any]) -> str:
    return "; ".join(check["message"] for kind in ("any", "all", "none") for check in node[kind])
