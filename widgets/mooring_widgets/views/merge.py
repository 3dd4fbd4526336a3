"""Merging one session into another, step by step."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from mooring_widgets import queries
from mooring_widgets.bridge import failure
from mooring_widgets.client import (
    MergeConflict,
    MergePlan,
    MergePreview,
    MergeRecord,
    Session,
    engagement_of,
    id_of,
)
from mooring_widgets.errors import Conflict, FailedPrecondition, InvalidArgument, MooringError
from mooring_widgets.query import QueryObserver, QueryOptions
from mooring_widgets.surface import Host, Job, Surface
from mooring_widgets.views import merge_words, pairs
from mooring_widgets.views.dependent import Options, away
from mooring_widgets.views.merge_choices import Choices, newer
from mooring_widgets.views.pairs import Pair
from mooring_widgets.views.walk import Walk

PAGE_SIZE = 50
NAMES_OFFERED = 20
STEPS = ("plan", "preview", "conflicts", "confirm", "record")
_LOOKING = STEPS[1:4]  # at what a preview says
_SIDES = ("source", "target")
_NOTHING: Options = QueryOptions(query_key=("merge", "nothing is asked yet"), enabled=False)


class MergeWizard(Surface, view="merge"):
    """Which sessions and how; what that would do; where each conflict goes; one sentence to agree to; and the
    record of it, which can be undone.

    Only the choices are its own; all else comes from queries. What was chosen stays through whatever goes
    wrong: a lost service, a page that is loaded again, sides that have changed. A merge is of exactly what
    was shown before, or it is refused.

    Attributes:
        record: What the merge did, None before.
    """

    def __init__(self, host: Host, source: str = "", target: str = "") -> None:
        """Merge one session into another one.

        Args:
            host: The workspace.
            source: The full name of the session to take from; people can choose another.
            target: That of the one to merge into; by default the current one.
        """
        self.record: MergeRecord | None = None
        self._names = {"source": source, "target": target or host.current.state.session_id}
        self._strategy = next(iter(merge_words.STRATEGIES))
        self._keep_source = False
        self._choices: dict[tuple[str, str], Choices] = {}
        self._step = "plan"
        self._only = ""  # the field whose conflicts are listed; empty: all
        self._moved = ""
        self._pair: Pair | None = None
        self._listed: tuple[Pair, str] | None = None
        self._newest = ""  # the engagement's newest merge before this one was asked for
        self._job = Job(self._show)
        self._sessions: dict[str, QueryObserver[Session, Session]] = {
            side: QueryObserver(host.queries, _session(host, name)) for side, name in self._names.items()
        }
        self._preview: QueryObserver[MergePreview, MergePreview] = QueryObserver(host.queries, _NOTHING)
        self._conflicts = Walk(host, self._paint)
        self._drops = Walk(host, self._paint)
        handlers = {
            "merge.names": self._answer_names,
            "merge.side": self._answer_side,
            "merge.plan": self._answer_plan,
            "merge.step": self._answer_step,
            "merge.only": self._answer_only,
            "merge.choose": self._answer_choose,
            "merge.back": self._answer_back,
            "merge.page": self._answer_page,
            "merge.run": self._answer_run,
            "merge.cancel": self._answer_cancel,
            "merge.undo": self._answer_undo,
            "retry": self._answer_retry,
        }
        fixed = {"strategies": merge_words.strategies(), **Job.BLANK, "told": ""}
        super().__init__(host, handlers, fixed | self._painted())
        self._start(self._begin)

    # What it stands on; all of this on the loop

    def _begin(self) -> None:
        for observer in self._asked:
            self._ended.append(observer.subscribe(lambda _: self._paint()))
        self._ended += [self._conflicts.close, self._drops.close]
        self._paint()

    @property
    def _asked(self) -> tuple[QueryObserver[Any, Any], ...]:
        return (*self._sessions.values(), self._preview)

    @property
    def _chosen(self) -> Choices:
        """The choices for these two; other sides have their own, which are there again when they are."""
        return self._choices.setdefault((self._names["source"], self._names["target"]), Choices())

    @property
    def _plan(self) -> MergePlan:
        combined = self._strategy == "combine"
        return MergePlan(
            self._names["source"],
            strategy=self._strategy,
            conflicts=self._chosen.conflicts if combined else "target",
            field_choices=self._chosen.by_field if combined else {},
            asset_choices=self._chosen.by_asset if combined else {},
            keep_source=self._keep_source,
        )

    def _known(self, side: str) -> Session | None:
        return self._sessions[side].get_current_result().data

    def _label(self, side: str) -> str:
        session = self._known(side)
        return session.display_name if session else id_of(self._names[side])

    def _follow(self) -> None:
        """Asks for what the step is about, of the data that both sides have now."""
        if self._job.running:
            return  # what a merge itself changes is no news; what else was changed is told after it
        known = (self._known("target"), self._known("source"))
        before, pair = self._pair, Pair.of(self._names["target"], self._names["source"], known)
        self._pair = pair
        same = before is not None and before.is_same(pair)
        if (
            self._step in _LOOKING
            and before
            and same
            and before.versions
            and pair.versions != before.versions
        ):
            self._in_background(self._tell_moved(before, pair))
        if self._step not in _LOOKING:
            self._preview.set_options(_NOTHING)
        # Choices do not change which conflicts there are: while they are made nothing is counted anew.
        elif self._step != "conflicts" or pair != before:
            self._preview.set_options(pairs.merge_preview(self._host.client, pair, self._plan, keep=same))
        if self._step == "conflicts":
            self._list(pair)

    def _list_anew(self) -> None:
        self._listed = None
        self._paint()

    def _list(self, pair: Pair) -> None:
        if self._listed == (pair, self._only):
            return
        self._listed = (pair, self._only)
        only = [self._only] if self._only else []
        plan = MergePlan(self._names["source"])
        asked = partial(pairs.merge_conflicts, self._host.client, pair, plan, only)
        self._conflicts.begin(lambda token: asked(token, PAGE_SIZE, keep=bool(token)))

    async def _tell_moved(self, before: Pair, now: Pair) -> None:
        """Says whose data is another by now, and who did that last: it is to be looked at again."""
        told = []
        if self._step == "confirm":
            self._step = "preview"
        for side, place in (("target", 0), ("source", 1)):
            if before.versions and now.versions and before.versions[place] != now.versions[place]:
                told.append(f"“{self._label(side)}” has changed{await self._by(self._names[side])}")
        self._moved = f"{' and '.join(told)}. This is what would happen now; your choices are kept."
        self._paint()

    async def _by(self, session: str) -> str:
        try:
            page = await self._host.client.list_activity(session, page_size=1)
        except MooringError:
            return ""  # it is the news that counts
        return f" (by {id_of(page.items[0].actor)})" if page.items else ""

    # What is shown

    def _paint(self) -> None:
        self._follow()
        self._show(status="ready", **self._painted())

    def _painted(self) -> dict[str, Any]:
        labels = {side: self._label(side) for side in _SIDES}
        result = self._preview.get_current_result()
        counted = result.data
        results = [observer.get_current_result() for observer in self._asked]
        problem = next((error for each in results if (error := each.error or away(each))), None)
        return {
            "step": self._step,
            "sides": {side: {"name": self._names[side], "label": labels[side]} for side in _SIDES},
            "strategy": self._strategy,
            "keep_source": self._keep_source,
            "preview": merge_words.numbers(counted.counts) if counted else None,
            "will": ""
            if counted is None or result.is_placeholder_data
            else merge_words.will(counted.counts, **labels, keep_source=self._keep_source),
            "refreshing": result.is_fetching,
            "problem": failure(problem) if problem else None,
            "moved": self._moved if self._step in _LOOKING else "",
            "only": self._only,
            "rules": {"": self._chosen.conflicts, **self._chosen.by_field},
            "chosen": self._chosen.count,
            "undoable": self._chosen.undoable,
            "rows": self._conflicts.shown(self._row) if self._step == "conflicts" else None,
            "record": merge_words.did(self.record, **labels) if self.record else None,
            "drops": self._drops.shown(merge_words.drop) if self.record else None,
        }

    def _row(self, conflict: MergeConflict) -> dict[str, Any]:
        target, source = conflict.asset, conflict.source_asset
        shown = []
        for name, _ in conflict.fields:
            if self._only not in ("", name):
                continue
            field = merge_words.field_of(name)
            shown.append(
                {
                    "field": name,
                    "label": field.label,
                    "kind": field.kind,
                    "target": field.of(target),
                    "source": field.of(source),
                    "side": self._chosen.side(target, source, name),
                    "chosen": self._chosen.chosen(target.name, name),
                }
            )
        return {
            "asset": target.name,
            "label": target.display_name,
            "newer": newer(target, source),
            "fields": shown,
        }

    # Choosing

    async def _answer_names(self, payload: Mapping[str, Any]) -> list[str]:
        """Names of sessions like what was typed."""
        engagement = engagement_of(self._names["target"])
        filter = queries.searched(str(payload["text"]))
        options = queries.sessions(self._host.client, engagement, limit=NAMES_OFFERED, filter=filter)
        return [each.display_name for each in (await self._host.queries.fetch_query(options)).items]

    async def _answer_side(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Takes another session, by its name, for a side."""
        side, other = (payload["side"], _SIDES[payload["side"] == "source"])
        text = str(payload["text"]).strip()
        # Of the target's engagement, whichever is current by now.
        same = queries.sessions(
            self._host.client,
            engagement_of(self._names["target"]),
            limit=1,
            filter=f"display_name = {queries.quoted(text)}",
        )
        page = await self._host.queries.fetch_query(same)
        found = page.items[0] if page.items else await self._host.work.find(text)
        if found.name == self._names[other]:
            raise InvalidArgument("a session cannot be merged into itself: choose another one")
        self._names[side] = found.name
        self._sessions[side].set_options(_session(self._host, found.name))
        self._paint()
        return {"label": found.display_name}

    async def _answer_plan(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        if payload["strategy"] not in merge_words.STRATEGIES:
            raise InvalidArgument(f"there is no strategy {payload['strategy']!r}")
        self._strategy, self._keep_source = payload["strategy"], bool(payload["keep_source"])
        self._paint()
        return {}

    async def _answer_step(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        step = payload["to"]
        if step not in STEPS[:4] or (step != "plan" and not self._names["source"]):
            raise InvalidArgument("choose the session to take from first")
        if step == "plan" and self._step == "record":
            self.record = None
        self._step, self._moved = step, ""
        self._show(error=None, failed="", told="")
        self._paint()
        return {}

    async def _answer_only(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        self._only = str(payload["field"])
        self._paint()
        return {}

    async def _answer_choose(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        self._chosen.choose(payload["asset"], payload["field"], payload["side"])
        self._paint()
        return {}

    async def _answer_back(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Takes the last choice back, and says which that was."""
        place = self._chosen.undo()
        self._paint()
        if place is None:
            return {"undone": ""}
        asset, field = place
        about = merge_words.field_of(field).label if field else "all conflicts"
        row = next((each for each in self._conflicts.rows if each.asset.name == asset), None)
        of = f" of {row.asset.display_name}" if row else " of an asset on another page" if asset else ""
        return {"undone": f"{about}{of}"}

    async def _answer_page(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        walk = self._drops if self._step == "record" else self._conflicts
        if payload["to"] == "next":
            walk.on()
        else:
            walk.back()
        return {}

    async def _answer_retry(self, _: Mapping[str, Any]) -> dict[str, Any]:
        for observer in self._asked:
            result = observer.get_current_result()
            if result.is_error or away(result):
                observer.refetch()
        self._conflicts.retry(self._list_anew)
        self._drops.retry(lambda: None)
        return {}

    # Merging, and undoing that

    async def _answer_run(self, _: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return await self._job.run("merging", self._merge(), told="")
        finally:
            self._paint()

    async def _answer_cancel(self, _: Mapping[str, Any]) -> dict[str, Any]:
        self._job.cancel()
        return {}

    async def _answer_undo(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        return await self._job.run("undoing", self._revert(force=bool(payload.get("force"))), told="")

    async def _merge(self) -> dict[str, Any]:
        """Merges exactly what was shown; where that is not what there is any more, shows what is."""
        shown = self._preview.get_current_result()
        if self._step != "confirm" or shown.data is None or shown.is_fetching or shown.is_placeholder_data:
            raise FailedPrecondition("what this would do is still being looked at; merge when it is there")
        client, target, asked = self._host.client, self._names["target"], False
        try:
            # An attempt whose answer was lost may have gone through all the same.
            newest = await self._found()
            if self._newest and newest and newest.name != self._newest and self._is_ours(newest):
                return self._done(newest)
            self._newest, asked = newest.name if newest else "none", True
            return self._done(
                await client.merge_sessions(
                    target, self._plan, digest=shown.data.digest, on_progress=self._job.tell
                )
            )
        except asyncio.CancelledError:
            newest = await self._found() if asked else None
            if newest is not None and newest.name != self._newest and self._is_ours(newest):
                return self._done(newest) | {"told": "It was through before it could be cancelled."}
            return {"told": "Cancelled: nothing was changed."}
        except Conflict:
            self._step = "preview"
            self._moved = "A session has changed. This is what would happen now; your choices are kept."
            for name in self._names.values():
                self._host.queries.invalidate_queries(queries.session(client, name).query_key)
            self._paint()
            return {}

    def _done(self, record: MergeRecord) -> dict[str, Any]:
        self.record, self._newest, self._step = record, "", "record"
        asked = partial(pairs.merge_drops, self._host.client, record.name)
        self._drops.begin(lambda token: asked(token, PAGE_SIZE))
        return self._painted()

    async def _found(self) -> MergeRecord | None:
        page = await self._host.client.list_merges(engagement_of(self._names["target"]), page_size=1)
        return page.items[0] if page.items else None

    def _is_ours(self, record: MergeRecord) -> bool:
        return (record.source_session, record.target_session) == (
            self._names["source"],
            self._names["target"],
        )

    async def _revert(self, *, force: bool) -> dict[str, Any]:
        if self.record is None:
            return {}
        self.record = await self._host.client.revert_merge(self.record.name, force=force)
        return self._painted()

    def _plain(self) -> str:
        source = f"“{self._label('source')}” " if self._names["source"] else ""
        return f"merge {source}into “{self._label('target')}”"


def _session(host: Host, name: str) -> Options:
    return queries.session(host.client, name) if name else _NOTHING
