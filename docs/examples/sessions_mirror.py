"""Keeps a summary of one engagement's sessions in a JSON file, up to date for as long as it runs.

    MOORING_SERVER=https://mooring.example.com MOORING_TOKEN=mrg_… \
        python sessions_mirror.py engagements/contoso summary.json

A backend service follows Mooring like this: watch first, then list, then read again what each change names.
The resume token is kept with what was made of it, so that a restart goes on where the last run ended; where
the server says that this is too long ago, everything is listed anew. Copy it and change `summary`.
"""

import json
import logging
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from mooring.endpoints import Endpoint
from mooring.v1 import sessions_pb2, sessions_pb2_grpc, watch_pb2, watch_pb2_grpc

CALL_TIMEOUT_S = 10.0
PAUSE_MIN_S, PAUSE_MAX_S = 0.2, 30.0
RETRIES = {
    "methodConfig": [
        {
            "name": [{}],  # every method: these all read
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.2s",
                "maxBackoff": "5s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
OPTIONS = (
    ("grpc.service_config", json.dumps(RETRIES)),
    # A connection that has died without a word is noticed. The server takes one ping in 10 s, and no more.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.max_receive_message_length", 32 * 2**20),  # a page of 1,000 sessions
)
# No other try mends these: whoever runs this service has to do something.
FINAL = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.UNIMPLEMENTED,
)

log = logging.getLogger("sessions_mirror")


def summary(session: sessions_pb2.Session) -> dict[str, object]:
    """What is kept of a session."""
    return {
        "display_name": session.display_name,
        "type": sessions_pb2.SessionType.Name(session.type).removeprefix("SESSION_TYPE_"),
        "is_default": session.is_default,
        "archived": session.HasField("archive_time"),
        "asset_count": session.asset_count,
        "labels": dict(session.labels),
    }


class SessionsMirror:
    """Follows `engagement` and keeps `sessions`, by name, and its file the same as the server."""

    def __init__(self, channel: grpc.Channel, endpoint: Endpoint, engagement: str, file: Path) -> None:
        self._sessions = sessions_pb2_grpc.SessionServiceStub(channel)
        self._watches = watch_pb2_grpc.WatchServiceStub(channel)
        self._metadata = endpoint.metadata
        self._engagement = engagement
        self._file = file
        kept = json.loads(file.read_text("utf-8")) if file.exists() else {}
        self.sessions: dict[str, dict[str, object]] = kept.get("sessions", {})
        self._token: str = kept.get("resume_token", "")
        self._stopping = threading.Event()
        self._cancel: Callable[[], object] = lambda: None

    def run(self) -> None:
        """Follows until `stop`. Raises grpc.RpcError where another try would not help."""
        pause_s = PAUSE_MIN_S
        while not self._stopping.is_set():
            try:
                for message in self._messages():
                    self._take(message)
                    pause_s = PAUSE_MIN_S
            except grpc.RpcError as error:
                if self._stopping.is_set():
                    return
                reason, wait_s = explained(error)
                if reason in ("HISTORY_GONE", "INVALID_RESUME_TOKEN"):
                    log.warning("cannot go on from the last token (%s): reading everything again", reason)
                    self._token = ""
                    continue
                if error.code() in FINAL:
                    raise
                log.warning("interrupted by %s %s", error.code().name, reason)
                # Many services come back at the same moment: chance spreads them.
                self._stopping.wait(max(wait_s, pause_s * random.uniform(0.5, 1)))  # noqa: S311 - no secret
                pause_s = min(2 * pause_s, PAUSE_MAX_S)

    def stop(self, *_: object) -> None:
        """Ends `run`; a signal handler too."""
        self._stopping.set()
        self._cancel()

    def _messages(self) -> Iterator[watch_pb2.WatchResponse]:
        request = watch_pb2.WatchRequest(streams=[self._engagement], resume_token=self._token)
        # No deadline: the server breaks its silence every 5 seconds, and keepalive notices where it cannot.
        messages = self._watches.Watch(request, metadata=self._metadata)
        self._cancel = messages.cancel
        if self._stopping.is_set():  # between the last look at it and the line above
            messages.cancel()
        yield from messages

    def _take(self, message: watch_pb2.WatchResponse) -> None:
        if not self._token:
            # The watch stands already, so whatever changes while this reads comes as a change afterwards.
            self.sessions = {session.name: summary(session) for session in self._all()}
        for name in dict.fromkeys(change.resource for change in message.changes):
            if is_session(name):
                self._read(name)
        if message.resume_token != self._token:
            self._token = message.resume_token
            self._keep()

    def _all(self) -> Iterator[sessions_pb2.Session]:
        request = sessions_pb2.ListSessionsRequest(
            parent=self._engagement, page_size=1_000, show_archived=True
        )
        while True:
            page = self._sessions.ListSessions(request, metadata=self._metadata, timeout=CALL_TIMEOUT_S)
            yield from page.sessions
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def _read(self, name: str) -> None:
        """The session as it is now, which may be later than the change: so a change may be taken twice."""
        request = sessions_pb2.GetSessionRequest(name=name)
        try:
            session = self._sessions.GetSession(request, metadata=self._metadata, timeout=CALL_TIMEOUT_S)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            self.sessions.pop(name, None)
            return
        if session.HasField("delete_time"):
            self.sessions.pop(name, None)
        else:
            self.sessions[name] = summary(session)

    def _keep(self) -> None:
        """Both at once, by a rename: after a crash they still belong together."""
        content = {"resume_token": self._token, "sessions": self.sessions}
        new = self._file.with_name(f"{self._file.name}.new")
        new.write_text(json.dumps(content, indent=1), "utf-8")
        new.replace(self._file)


def is_session(name: str) -> bool:
    """Whether a change names a session, and not something in or beside one."""
    return name.count("/") == 3 and "/sessions/" in name


def explained(error: grpc.RpcError) -> tuple[str, float]:
    """A failure's reason, and how long to wait in seconds: empty and 0 where no server said."""
    reason, wait_s = "", 0.0
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(retry):
            wait_s = retry.retry_delay.ToTimedelta().total_seconds()
    return reason, wait_s


def connect(endpoint: Endpoint) -> grpc.Channel:
    """A channel; it connects at the first call, and again whenever it has to."""
    if endpoint.tls:
        return grpc.secure_channel(endpoint.target, endpoint.credentials(), OPTIONS)
    return grpc.insecure_channel(endpoint.target, OPTIONS)


def main() -> None:
    """Runs until SIGINT or SIGTERM."""
    logging.basicConfig(level=logging.INFO)
    engagement, file = sys.argv[1:]
    endpoint = Endpoint.of(
        os.environ["MOORING_SERVER"],
        token=os.environ.get("MOORING_TOKEN", ""),
        ca=os.environ.get("MOORING_CA", ""),
    )
    with connect(endpoint) as channel:
        mirror = SessionsMirror(channel, endpoint, engagement, Path(file))
        signal.signal(signal.SIGINT, mirror.stop)
        signal.signal(signal.SIGTERM, mirror.stop)
        mirror.run()


if __name__ == "__main__":
    main()
