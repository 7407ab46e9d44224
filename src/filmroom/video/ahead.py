"""Making items in a thread while the ones before are used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator
from typing import Any, TypeVar

Item = TypeVar("Item")

_END = object()


def ahead(items: Generator[Item, None, None], waiting: int) -> Generator[Item, None, None]:
    """The same items in the same order, made by one thread up to `waiting` ahead.

    Its errors are raised here. When the walk is given up, the thread is ended and `items` closed.
    """
    ready: queue.Queue[Any] = queue.Queue(waiting)
    stop = threading.Event()

    def work() -> None:
        end: object = _END
        try:
            for item in items:
                if stop.is_set():
                    break
                ready.put(item)
        except BaseException as error:
            end = error
        items.close()
        ready.put(end)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not _END:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        while thread.is_alive():
            try:
                ready.get(timeout=0.05)
            except queue.Empty:
                continue
