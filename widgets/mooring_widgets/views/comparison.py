"""What differs between two sessions."""

from collections.abc import Mapping
from functools import partial
from typing import Any, get_args

import traitlets

from mooring_widgets import queries
from mooring_widgets.bridge import failure
from mooring_widgets.client import Asset, Counted, Dependency, Difference, DifferenceCounts, id_of
from mooring_widgets.errors import InvalidArgument, NotFound
from mooring_widgets.queries import Table
from mooring_widgets.surface import Host
from mooring_widgets.views import fields, pairs
from mooring_widgets.views.dependent import DependentView, Options, label_of
from mooring_widgets.views.fields import Field
from mooring_widgets.views.merge import MergeWizard
from mooring_widgets.views.pairs import Pair
from mooring_widgets.views.walk import Walk

PAGE_SIZE = 50
KINDS = ("added", "removed", "changed", "unchanged")
_FIELDS: dict[Table, tuple[Field, ...]] = {
    "assets": fields.ASSET_FIELDS,
    "dependencies": fields.DEPENDENCY_FIELDS,
}
# What tells somebody which asset this is, where nothing of it has changed.
_TOLD = ("type", "environment", "operating_system", "owner")


class ComparisonView(DependentView, view="comparison"):
    """How many assets and dependencies two sessions differ in, and each difference, page by page.

    It follows both sessions. Whoever has gone on to a later page stays in what they read, and is told that
    there is something newer.
    """

    _fields = traitlets.Dict().tag(sync=True)

    def __init__(self, host: Host, other: str, *, pinned: str | None = None) -> None:
        """Hold a session against another one.

        Args:
            host: The workspace.
            other: The full name of the other one, which what was added is in.
            pinned: The session's full name; by default the current one, which is followed.
        """
        self._other = other
        self._table: Table = "assets"
        self._kind = ""
        self._filters: dict[Table, str] = {"assets": "", "dependencies": ""}
        self._walk = Walk(host, self._paint)
        self._pair: Pair | None = None  # what is counted
        self._walked: Pair | None = None  # what the pages are of
        self._counted_for: Pair | None = None
        self._wizards: dict[str, MergeWizard] = {}  # by the session that is merged into
        self._merging = False
        super().__init__(
            host,
            "Comparison",
            pinned,
            handlers={
                "comparison.choose": self._answer_choose,
                "comparison.page": self._answer_page,
                "comparison.merge": self._answer_merge,
                "comparison.undelete": self._answer_undelete,
                "table.arrange": self._answer_filter,
            },
            **self._chosen(),
            rows=None,
            gone="",
            wizard=None,
        )

    @traitlets.default("_fields")
    def _all_fields(self) -> dict[str, Any]:
        return {table: fields.shown(known) for table, known in _FIELDS.items()}

    # How it follows

    def _needs(self, host: Host, session: str) -> dict[str, Options]:
        pair = self._found(host, session)
        keep = self._counted_for is not None and self._counted_for.is_same(pair)
        return {
            "other": queries.session(host.client, self._other),
            "counts": pairs.counts(host.client, pair, keep=keep),
        }

    def _begin(self) -> None:
        self._ended.append(self._walk.close)
        super()._begin()

    def _let_go(self) -> None:
        super()._let_go()
        for wizard in self._wizards.values():
            wizard.close()

    def _paint(self) -> None:
        pair = self._found(self._host, self._session)
        if pair != self._pair:
            self._pair = pair
            self._observe()
            self._follow(pair)
        super()._paint()

    def _follow(self, pair: Pair) -> None:
        """Lists what differs now, unless somebody is in the midst of what differed before."""
        if self._walked is None or not self._walked.is_same(pair) or self._walk.number == 1:
            self._list(pair, keep=self._walked is not None and self._walked.is_same(pair))

    def _list(self, pair: Pair, *, keep: bool = False) -> None:
        self._walked = pair
        kinds = [self._kind] if self._kind else []
        asked = partial(pairs.differences, self._host.client, pair, self._table, kinds, self._filter)
        self._walk.begin(lambda token: asked(token, PAGE_SIZE, keep=keep or bool(token)))

    def _found(self, host: Host, session: str) -> Pair:
        known = [
            host.queries.get_query_data(queries.session(host.client, name).query_key)
            for name in (session, self._other)
        ]
        return Pair.of(session, self._other, (known[0], known[1]))

    @property
    def _filter(self) -> str:
        return self._filters[self._table]

    # What is shown

    def _painted(self) -> dict[str, Any]:
        shown = super()._painted() | self._chosen()
        names = (self._session, self._other)
        sides = [self._observers[name].get_current_result() for name in ("of", "other")]
        labels = [
            side.data.display_name if side.data else id_of(name)
            for name, side in zip(names, sides, strict=True)
        ]
        gone = ""
        for name, label, side in zip(names, labels, sides, strict=True):
            if side.error is None:
                continue
            shown |= {"status": "error", "error": failure(side.error)}
            if isinstance(side.error, NotFound) and side.data:
                gone = name
                shown["error"] |= {"message": f"“{label}” was deleted; this is how it was."}
        return shown | {
            "session_label": " → ".join(labels) if any(side.data for side in sides) else "",
            "labels": labels,
            "gone": gone,
            "rows": self._walk.shown(partial(_row, _FIELDS[self._table])),
            # The pages are of what both were at the beginning of the walk.
            "moved": self._walked != self._pair,
            "wizard": self._wizard(),
        }

    def _picture(self, data: dict[str, Any]) -> dict[str, Any]:
        counted: Counted = data["counts"]
        self._counted_for = self._pair
        counts = {"assets": _counts(counted.assets), "dependencies": _counts(counted.dependencies)}
        nothing = not any(sum(each.values()) for each in counts.values())
        return {"counts": counts, "status": "empty" if nothing else "ready"}

    def _blank(self) -> dict[str, Any]:
        return {"counts": None, "moved": False, "labels": []}

    def _chosen(self) -> dict[str, Any]:
        return {"table": self._table, "kind": self._kind, "filter": self._filter}

    # What the front end asks

    async def _answer_choose(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        table, kind = payload["table"], payload["only"]
        if table not in get_args(Table) or kind not in ("", *KINDS):
            raise InvalidArgument(f"there are no {kind!r} {table!r} to show")
        self._table, self._kind = table, kind
        self._list(self._found(self._host, self._session))
        return {}

    async def _answer_page(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        match payload["to"]:
            case "next":
                self._walk.on()
            case "previous":
                self._walk.back()
            case _:
                self._list(self._found(self._host, self._session))
        return {}

    async def _answer_filter(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Takes another filter once the service has; what it refuses changes nothing."""
        table, filter = self._table, str(payload["filter"]).strip()
        kinds = [self._kind] if self._kind else []
        pair = self._found(self._host, self._session)
        options = pairs.differences(self._host.client, pair, table, kinds, filter, "", PAGE_SIZE)
        try:
            await self._host.queries.fetch_query(options)
        except InvalidArgument as error:
            near = fields.unknown_fields(filter, _FIELDS[table])
            told = [{"wrong": wrong, "names": list(names)} for wrong, names in near.items()]
            return {"refused": failure(error) | {"near": told}}
        self._filters[table] = filter
        self._list(self._found(self._host, self._session))
        return {"refused": None}

    async def _answer_merge(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Opens the wizard that brings what was added and changed into the session; once more hides it."""
        self._merging = not self._merging
        if self._merging and self._session not in self._wizards:
            self._wizards[self._session] = MergeWizard(self._host, self._other, self._session)
        self._paint()
        return {}

    def _wizard(self) -> dict[str, Any] | None:
        wizard = self._wizards.get(self._session) if self._merging else None
        return None if wizard is None else {"model_id": wizard.model_id, "anywidget": True}

    async def _answer_undelete(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        await self._host.work.undelete(payload["session"])
        return await self._answer_retry({})

    async def _answer_retry(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        self._walk.retry(lambda: self._list(self._found(self._host, self._session)))
        return await super()._answer_retry(payload)

    def _plain(self) -> str:
        known = [self._observers[name].get_current_result().data for name in ("of", "other")]
        names = [
            session.display_name if session else id_of(name)
            for session, name in zip(known, (self._session, self._other), strict=True)
        ]
        return f"Comparison of {' and '.join(names)}"


def _counts(counts: DifferenceCounts) -> dict[str, int]:
    return {kind: getattr(counts, kind) for kind in KINDS}


def _row(known: tuple[Field, ...], each: Difference) -> dict[str, Any]:
    shown = each.own or each.other
    return {
        "kind": each.kind,
        "label": each.label,
        "about": "" if shown is None or each.fields else _about(shown),
        "changes": [_change(known, name, each) for name in each.fields],
    }


def _about(thing: Asset | Dependency) -> str:
    if isinstance(thing, Dependency):
        return thing.description
    told = [label_of(thing.type), *(getattr(thing, name) for name in _TOLD[1:])]
    return ", ".join(filter(None, told))


def _change(known: tuple[Field, ...], name: str, each: Difference) -> dict[str, Any]:
    [field] = fields.chosen([name], known)
    return {
        "label": field.label,
        "kind": field.kind,
        "before": field.of(each.own),
        "after": field.of(each.other),
    }
