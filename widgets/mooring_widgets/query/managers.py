"""Whether anybody looks, and whether there is a network; and all that one client's parts have in common."""

from collections.abc import Callable
from typing import Literal, TypeAlias

from mooring_widgets.query.notifier import ErrorHook, Listeners, Notifier
from mooring_widgets.query.runtime import Cancellable, Runtime

NetworkMode: TypeAlias = Literal["online", "always", "offline_first"]


class _Switch:
    """Something that is so or not; it is, until told otherwise."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._on = True
        self._listeners: Listeners[bool] = Listeners(notifier, lambda: self._on)
        self.on_return: Callable[[], None] = lambda: None
        """Called under the lock when it becomes so again. For the client."""

    def subscribe(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Call a listener with every change from now on; return a function that ends it.

        A change that is taken back before the runtime comes round may be told as none.
        """
        with self._notifier.batch():
            token = self._listeners.add(listener)

        def unsubscribe() -> None:
            with self._notifier.batch():
                self._listeners.remove(token)

        return unsubscribe

    def _set(self, on: bool) -> None:
        with self._notifier.batch():
            if on == self._on:
                return
            self._on = on
            self._listeners.changed()
            if on:
                self.on_return()


class FocusManager(_Switch):
    """Whether somebody looks. Whoever knows says so by `set_focused`, from any thread."""

    @property
    def is_focused(self) -> bool:
        """Whether somebody looks; True until told otherwise."""
        return self._on

    def set_focused(self, focused: bool) -> None:
        """Say whether somebody looks; when they look again, stale data that they see is fetched."""
        self._set(focused)


class OnlineManager(_Switch):
    """Whether there is a network. Whoever knows says so by `set_online`, from any thread."""

    @property
    def is_online(self) -> bool:
        """Whether there is a network; True until told otherwise."""
        return self._on

    def set_online(self, online: bool) -> None:
        """Say whether there is a network; when there is one again, what was paused goes on."""
        self._set(online)


class Environment:
    """What the queries and mutations of one client share: time, the lock, focus and network."""

    def __init__(self, runtime: Runtime, on_listener_error: ErrorHook | None = None) -> None:
        self.runtime = runtime
        self.notifier = Notifier(runtime, on_listener_error)
        self.focus = FocusManager(self.notifier)
        self.online = OnlineManager(self.notifier)

    def may_start(self, mode: NetworkMode) -> bool:
        """Whether a first attempt may be made now."""
        return mode != "online" or self.online.is_online

    def may_retry(self, mode: NetworkMode) -> bool:
        """Whether another attempt may be made now."""
        return mode == "always" or self.online.is_online


class Alarm:
    """One timer that can be set anew: only what was set last rings, under the lock. Use it under the lock."""

    def __init__(self, environment: Environment, ring: Callable[[], None]) -> None:
        self._environment = environment
        self._ring = ring
        self._timer: Cancellable | None = None
        self._token: object = None

    def set(self, delay_s: float) -> None:
        """Ring after a delay, and not at any time it was set to before."""
        self.stop()
        token = self._token = object()
        self._timer = self._environment.runtime.call_later(delay_s, lambda: self._fire(token))

    def stop(self) -> None:
        """Do not ring."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = self._token = None

    def _fire(self, token: object) -> None:
        with self._environment.notifier.batch():
            if self._token is token:  # a timer that was stopped may have been on its way
                self._timer = self._token = None
                self._ring()
