"""Making and changing a session: the form as a widget, and its requests for whoever shows it inline."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import traitlets

from mooring_widgets import queries
from mooring_widgets.bridge import Handler
from mooring_widgets.client import Session, id_of
from mooring_widgets.errors import AlreadyExists, FieldViolation, InvalidArgument, NotFound
from mooring_widgets.surface import Host, Surface

_FIELDS = ("display_name", "description", "type")
_TYPES = ("data_import", "validation_run", "incremental_update", "comparison_analysis", "cleanup_operation")
_BLANK = Session("", "", type=_TYPES[0])


class SessionForm(Surface, view="form"):
    """A form for a new session, or for changing one. A DOMWidget: it works in a VBox, with link and observe.

    It saves only what was changed, shows each refusal beside its field, and where somebody else was faster
    offers their version instead of overwriting it.

    Attributes:
        session_id: The full name of the session that is changed; of a new one, once it was made. Synced.
    """

    session_id = traitlets.Unicode(read_only=True).tag(sync=True)

    def __init__(self, host: Host, session: str | None = None) -> None:
        """Show the form of the session with this full name, or an empty one."""
        self._editing = session or ""
        super().__init__(
            host,
            form_handlers(host, on_saved=self._on_saved),
            {"session": self._editing, "status": "ready"},
        )
        self.set_trait("session_id", self._editing)

    def _on_saved(self, session: Session) -> None:
        # The user's observers must not run on the loop.
        self._host.user_executor.submit(self.set_trait, "session_id", session.name)

    def _plain(self) -> str:
        return f"edit session {id_of(self._editing)}" if self._editing else "new session"


def form_handlers(host: Host, on_saved: Any = lambda session: None) -> dict[str, Handler]:
    """The requests of a form. `on_saved` hears of each saved session, on the loop."""

    async def open_(payload: Mapping[str, Any]) -> dict[str, Any]:
        name, source = payload["session"], payload.get("source", "")
        # Not from the cache: an etag that is out of date would make a conflict of every save.
        session = await host.client.get_session(name or source) if name or source else _BLANK
        if not name:  # what a new one takes over of its source
            session = replace(_BLANK, description=session.description, type=session.type or _TYPES[0])
        return {
            "session": session.name,
            "etag": session.etag,
            "values": {field: getattr(session, field) for field in _FIELDS},
            "types": [{"value": type_, "label": _label(type_)} for type_ in _types(session)],
            "sources": [] if name else await _sources(host, source),
            "source": source,
        }

    async def save(payload: Mapping[str, Any]) -> dict[str, Any]:
        values = {field: value for field, value in payload["values"].items() if field in _FIELDS}
        try:
            session = await _save(
                host, payload["session"], payload["etag"], payload.get("source", ""), values
            )
        except AlreadyExists as error:
            # The service refuses the name as a whole; on the form it belongs beside its field.
            beside = [FieldViolation("session.display_name", error.message)]
            raise AlreadyExists(error.message, reason=error.reason, violations=beside) from error
        on_saved(session)
        if payload.get("switch"):
            host.current.switch(session.name)
        return {"name": session.name, "label": session.display_name}

    return {"form.open": open_, "form.save": save}


async def _save(host: Host, name: str, etag: str, source: str, values: Mapping[str, Any]) -> Session:
    if not values.get("display_name", "given" if name else "").strip():
        wrong = FieldViolation("session.display_name", "Give the session a name.")
        raise InvalidArgument("the session has no name", violations=[wrong])
    fields = {"type_" if field == "type" else field: value for field, value in values.items()}
    if name:
        return await host.work.update(name, **fields, etag=etag)
    return await host.work.create(**fields, source=source or None)


async def _sources(host: Host, chosen: str) -> list[dict[str, str]]:
    """What a new session may start from: nothing, the current session, the engagement's default."""
    engagement = await host.queries.fetch_query(
        queries.engagement(host.client, host.current.state.engagement_id)
    )
    names = dict.fromkeys([chosen, host.current.state.session_id, engagement.default_session])
    found = [await _known(host, name) for name in names if name]
    sources = [{"value": each.name, "label": each.display_name} for each in found if each is not None]
    return [{"value": "", "label": "Nothing: a blank session"}, *sources]


async def _known(host: Host, name: str) -> Session | None:
    try:
        return await host.queries.fetch_query(queries.session(host.client, name))
    except NotFound:  # deleted meanwhile
        return None


def _types(session: Session) -> list[str]:
    """The types to choose from; a session's own stays possible."""
    return list(dict.fromkeys([*_TYPES, *filter(None, [session.type])]))


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()
