"""The methods about sessions that move: each as one file, out of the service and into it."""

import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from google.longrunning import operations_pb2
from mooring.v1 import transfers_pb2

from mooring_widgets.client import decode_discovery
from mooring_widgets.client.channel import Channel
from mooring_widgets.client.operations import finished
from mooring_widgets.client.reports import Progress

_SERVICE = "/mooring.v1.SessionService"


class MoveCalls:
    """The part of `MooringClient` that is about sessions that move."""

    _channel: Channel

    async def export_session(self, name: str) -> AsyncGenerator[bytes, None]:
        """A session as one file, in pieces of any length.

        All of it is of one state of the data. An export that breaks off is not begun again: it may be another
        state by then.

        Raises:
            NotFound: For an absent session.
            Unavailable: Where the service cannot be reached, or breaks off.
        """
        request = transfers_pb2.ExportSessionRequest(name=name)
        answers = self._channel.read(
            f"{_SERVICE}/ExportSession", request, transfers_pb2.ExportSessionResponse
        )
        async with aclosing(answers) as parts:
            async for part in parts:
                if part.data:
                    yield part.data

    async def import_session(
        self,
        engagement: str,
        upload_id: str,
        *,
        display_name: str = "",
        session_id: str = "",
        keep_ids: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> str:
        """Makes a session of an upload, all or nothing; cancelling it cancels the import.

        Args:
            engagement: The full name of the one that gets it, which the upload was made for.
            upload_id: What `upload_inventory` answered.
            display_name: Empty: as the exported one, with a number where that is taken.
            session_id: Empty: a new one, or that of the file with `keep_ids`.
            keep_ids: Take over the ids of assets and dependencies.
            on_progress: Called on the loop with every step; it must not block.

        Returns:
            The new session's full name.

        Raises:
            InvalidArgument: UNREADABLE_SESSION, where the file is none or was altered.
            AlreadyExists: ID_TAKEN, DISPLAY_NAME_TAKEN.
            NotFound: UPLOAD_NOT_FOUND.
        """
        request = transfers_pb2.ImportSessionRequest(
            parent=engagement,
            upload_id=upload_id,
            display_name=display_name,
            session_id=session_id,
            keep_ids=keep_ids,
            request_id=str(uuid.uuid4()),
        )

        def tell(operation: operations_pb2.Operation) -> None:
            metadata = transfers_pb2.ImportSessionMetadata()
            if on_progress is not None and operation.metadata.Unpack(metadata):
                on_progress(decode_discovery.progress(metadata))

        begun = await self._channel.unary(f"{_SERVICE}/ImportSession", request, operations_pb2.Operation)
        operation = await finished(self._channel, begun, tell)
        answer = transfers_pb2.ImportSessionResponse()
        operation.response.Unpack(answer)
        return answer.session
