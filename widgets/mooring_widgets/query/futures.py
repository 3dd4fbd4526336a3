"""Settling `concurrent.futures` that their holders may have cancelled."""

from collections.abc import Sequence
from concurrent.futures import Future
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")


def resolve(future: Future[T], value: T) -> None:
    """Give a result, unless nobody wants it any more."""
    if future.set_running_or_notify_cancel():
        future.set_result(value)


def reject(future: Future[Any], error: BaseException) -> None:
    """Give a failure, unless nobody wants it any more."""
    if future.set_running_or_notify_cancel():
        future.set_exception(error)


def all_settled(futures: Sequence[Future[Any]]) -> Future[None]:
    """Return a future that resolves when all have ended, well or not."""
    done: Future[None] = Future()
    left = len(futures)
    lock = Lock()

    def count_down(_: Future[Any]) -> None:
        nonlocal left
        with lock:
            left -= 1
            last = left == 0
        if last:
            resolve(done, None)

    if not futures:
        resolve(done, None)
    for future in futures:
        future.add_done_callback(count_down)
    return done
