from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from mooring_widgets import errors
from mooring_widgets.client import Context
from mooring_widgets.context import Place, find_place
from mooring_widgets.workspace import Workspace
from support_waiting import until
from support_workspace import BASELINE, WAVE_1, WAVE_2, recorded

KERNEL = "/run/kernel-0b7f2c6e-9d5b-4a51-8c39-1d2f6a3b4c5d.json"


def test_a_switch_shows_at_once_and_is_then_confirmed(ws: Workspace) -> None:
    """A chosen session is current and pending before the server answers, and no longer pending after."""
    states = recorded(ws)
    with ws.client.hold("switch_session"):
        call = ws.current.switch(WAVE_1)
        assert (ws.current.state.session_id, ws.current.state.pending) == (WAVE_1, True)
    assert call.result(20).session.name == WAVE_1
    assert [(state.session_id, state.pending, state.epoch) for state in states] == [
        (WAVE_1, True, 1),
        (WAVE_1, False, 1),
    ]
    assert ws.current.state.revision == 2


def test_the_last_switch_wins(ws: Workspace) -> None:
    """A switch that still waits when the next one comes is cancelled, and the next one is what is current."""
    with ws.client.hold("switch_session"):
        calls = [ws.current.switch(name) for name in (WAVE_1, BASELINE, WAVE_2)]
    assert calls[-1].result(20).session.name == WAVE_2
    assert all(call.cancelled() for call in calls[:-1])
    state = ws.current.state
    assert (state.session_id, state.pending, state.epoch, state.error) == (WAVE_2, False, 3, None)
    assert ws.client.service.contexts[ws.current.name].session == WAVE_2


def test_a_superseded_wait_says_so(ws: Workspace) -> None:
    """Who waits for a switch that another one replaced gets Superseded, not a bare cancellation."""
    with ws.client.hold("switch_session"):
        waiting = ws.run(ws.aio.switch("Wave 1"))
        until(lambda: ws.current.state.session_id == WAVE_1)
        last = ws.current.switch(WAVE_2)
        with pytest.raises(errors.Superseded):
            waiting.result(20)
    last.result(20)


def test_a_refused_switch_rolls_back(ws: Workspace) -> None:
    """A refusal puts the confirmed session back in a new epoch, with the reason."""
    refusal = errors.NotFound("there is no such session", reason="SESSION_NOT_FOUND")
    ws.client.fail("switch_session", refusal)
    states = recorded(ws)
    with pytest.raises(errors.NotFound):
        ws.current.switch(WAVE_1).result(20)
    until(lambda: len(states) == 2)
    assert [(state.session_id, state.epoch, state.error) for state in states] == [
        (WAVE_1, 1, None),
        (BASELINE, 2, refusal),
    ]


def test_a_cancelled_switch_rolls_back(ws: Workspace) -> None:
    """When nobody waits any more, what was confirmed is shown again; nothing stays pending."""
    with ws.client.hold("switch_session"):
        call = ws.current.switch(WAVE_1)
        until(lambda: "switch_session" in ws.client.calls)
        call.cancel()
        until(lambda: not ws.current.state.pending)
    with pytest.raises(CancelledError):
        call.result(20)
    assert ws.current.state.session_id == BASELINE


def test_a_context_that_moved_meanwhile_is_read_again(ws: Workspace) -> None:
    """A user's choice holds though another kernel has switched the same context since."""
    service = ws.client.service
    engagement = ws.current.state.engagement_id
    service.contexts[ws.current.name] = Context(ws.current.name, engagement, WAVE_1, 7)
    assert ws.current.switch(WAVE_2).result(20).context.revision == 8
    assert ws.current.state.session_id == WAVE_2


def test_older_news_is_ignored(ws: Workspace) -> None:
    """Only a higher revision of the very same context is followed."""
    engagement = ws.current.state.engagement_id
    ws.current.follow(Context(ws.current.name, engagement, WAVE_1, 1))
    ws.current.follow(Context("users/demo/contexts/other", engagement, WAVE_1, 9))
    assert ws.current.state.session_id == BASELINE
    ws.current.follow(Context(ws.current.name, engagement, WAVE_1, 2))
    assert (ws.current.state.session_id, ws.current.state.epoch) == (WAVE_1, 1)


def test_a_broken_listener_hides_nothing(ws: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    """A listener that raises is logged, and the others still hear everything."""

    def broken(_: object) -> None:
        raise ValueError("oh")

    ws.current.subscribe(broken)
    states = recorded(ws)
    ws.switch("Wave 1")
    until(lambda: len(states) == 2)
    assert "a listener of the current session failed" in caplog.text


def test_a_kernel_is_known_by_its_connection_file() -> None:
    """The kernel's id is its connection file's, the notebook's key one of its path and installation."""
    environ = {"JPY_SESSION_NAME": "/home/ada/tour.ipynb"}
    place = find_place(lambda: "one", environ=environ, connection_file=KERNEL)
    assert place.kernel_key == "0b7f2c6e-9d5b-4a51-8c39-1d2f6a3b4c5d"
    assert len(place.notebook_key) == 64
    assert (
        find_place(lambda: "two", environ=environ, connection_file=KERNEL).notebook_key != place.notebook_key
    )
    hub = {**environ, "JUPYTERHUB_SERVER_NAME": "gpu"}
    assert find_place(lambda: "one", environ=hub, connection_file=KERNEL).notebook_key != place.notebook_key


def test_a_notebook_keeps_its_key_through_a_link(tmp_path: Path) -> None:
    """Two paths to one file are one notebook."""
    (tmp_path / "tour.ipynb").touch()
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "tour.ipynb")
    keys = {
        find_place(
            lambda: "one", environ={"JPY_SESSION_NAME": str(path)}, connection_file=KERNEL
        ).notebook_key
        for path in tmp_path.iterdir()
    }
    assert len(keys) == 1


def test_a_script_has_no_place() -> None:
    """A script started from a notebook inherits its environment and must not take its context."""
    assert find_place(lambda: "one", environ={"JPY_SESSION_NAME": "/home/ada/tour.ipynb"}) == Place()


def test_a_notebook_without_a_data_folder_has_its_kernel(caplog: pytest.LogCaptureFixture) -> None:
    """Where no install id can be kept, the kernel's key alone is sent, and the log says what that means."""

    def nowhere() -> str:
        raise errors.Unavailable("the data folder cannot be made")

    place = find_place(nowhere, environ={"JPY_SESSION_NAME": "/home/ada/tour.ipynb"}, connection_file=KERNEL)
    assert place.kernel_key
    assert not place.notebook_key
    assert "start at the defaults" in caplog.text
