"""Threads that handle requests, with enough room on Python's stack for all calls of a request.

Python keeps the frames of its functions in chunks of 16 kB. Python 3.11, 3.12 and the first
releases of 3.13 and 3.14 return a chunk to the system as soon as it is empty. A request whose calls
go back and forth over the end of a chunk then takes up to twice as long. Where the chunks end
depends on how deep in the stack the request begins.
https://github.com/python/cpython/issues/142183
"""

from collections.abc import Callable
from types import FunctionType
from typing import Any

from waitress.task import ThreadedTaskDispatcher

# Slots of 8 bytes. For such a frame, Python allocates a chunk with as much room after the frame.
# Memory that is never used takes no space.
ROOM = 32_768


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


# Calls a function with these arguments, and returns its result. The frame of this call claims to
# need many slots, so it begins a large chunk.
call_with_room: Callable[..., Any] = FunctionType(
    _call.__code__.replace(co_stacksize=ROOM), globals(), "call_with_room"
)


class Dispatcher(ThreadedTaskDispatcher):
    """Waitress's dispatcher, whose threads have enough room on their stacks."""

    def handler_thread(self, thread_no: int) -> None:
        """Handle requests until the server stops."""
        call_with_room(super().handler_thread, thread_no)
