"""Times on the wire."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp


def timestamp(time: datetime) -> Timestamp:
    """An aware time as a Timestamp."""
    packed = Timestamp()
    packed.FromDatetime(time)
    return packed
