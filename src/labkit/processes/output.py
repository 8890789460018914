"""Output that never raises, even if the terminal, pipe or file is closed or full."""

import codecs
import contextlib
import io
import os
import queue
import select
import sys
import threading
import traceback
import unicodedata
from collections.abc import Callable, Iterator
from encodings import ascii as ascii_codec
from functools import partial
from typing import Any

DEGRADE = "labkit-degrade"  # the name of an error handler for `codecs`
ASCII = "labkit_ascii"  # a name other than "ascii", since Click replaces "ascii" with UTF-8
SUBSTITUTES = {  # replacements for characters that an encoding lacks
    **dict.fromkeys("–—−─━", "-"),
    **dict.fromkeys("│┃", "|"),
    **dict.fromkeys("‘’", "'"),
    **dict.fromkeys("“”„", '"'),
    "✓": "+",
    "✗": "x",
    "×": "x",
    "·": "*",
    "…": "...",
    "→": "->",
    "≤": "<=",
    "≥": ">=",
}

PRINT_SECONDS = 2  # how long an OutputThread or a relay may take to print the rest of its output


def protect_output() -> None:
    """Replace this process's stdout and stderr with files that never raise.

    Characters that the encoding lacks are replaced. After an error, such as a closed pipe or a
    full disk, all further output is discarded. If one of the three standard file descriptors is
    closed, it is opened on the null device, so that no other file can get its number.
    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the new descriptor gets the lowest free number
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 it stays open
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is getattr(sys, f"__{name}__"):  # a test may have replaced it
            setattr(sys, name, _protected(stream, number))


def _protected(stream: Any, number: int) -> Any:
    if sys.platform == "win32" and stream is not None:  # the Windows console does not accept bytes
        stream.reconfigure(errors=DEGRADE)
        return stream
    encoding = stream.encoding if stream is not None else "utf-8"
    if codecs.lookup(encoding).name == "ascii":
        encoding = ASCII
    file: Any = UnfailingFile(number, "w", closefd=False)
    return io.TextIOWrapper(
        file,
        encoding=encoding,
        errors=DEGRADE,
        line_buffering=stream is not None and stream.line_buffering,
        write_through=stream is not None and stream.write_through,
    )


class UnfailingFile(io.FileIO):
    """A file whose methods do not raise; after an error, it discards all output."""

    def write(self, data: Any) -> int:
        """Write all of these bytes. After an error, discard them and all further output."""
        rest = memoryview(data)
        size = rest.nbytes
        try:
            while rest:
                written = super().write(rest)
                if written is None:  # a non-blocking pipe may be full
                    select.select([], [self], [])
                else:
                    rest = rest[written:]
        except (OSError, ValueError):
            self.discard()
        return size

    def discard(self) -> None:
        """Discard all further output, including that of child processes."""
        with contextlib.suppress(OSError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())
            os.close(null)


def _degrade(error: UnicodeError) -> tuple[str | bytes, int]:
    """Replace one character that the encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign = error.object[error.start]
    # This stands for a byte of a file name that could not be decoded.
    if "\udc80" <= sign <= "\udcff":
        return bytes([ord(sign) - 0xDC00]), error.start + 1
    plain = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return SUBSTITUTES.get(sign) or plain or "?", error.start + 1


def _find_codec(name: str) -> codecs.CodecInfo | None:
    if name != ASCII:
        return None
    return codecs.CodecInfo(
        codecs.ascii_encode,
        codecs.ascii_decode,
        incrementalencoder=ascii_codec.IncrementalEncoder,
        incrementaldecoder=ascii_codec.IncrementalDecoder,
        name=ASCII,
    )


codecs.register_error(DEGRADE, _degrade)
codecs.register(_find_codec)


class OutputThread:
    """Prints in a separate thread.

    If nothing reads the output, for example after Ctrl-S in a terminal, only this thread waits.
    """

    def __init__(self) -> None:
        self._waiting: queue.Queue[Callable[[], None] | None] = queue.Queue(1000)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def call(self, print_: Callable[..., None], *arguments: Any, **options: Any) -> None:
        """Queue a call of this function; ignore it if 1000 calls are waiting."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(partial(print_, *arguments, **options))

    def close(self) -> None:
        """Wait at most PRINT_SECONDS until everything is printed, then discard the rest."""
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=PRINT_SECONDS)
            self._thread.join(PRINT_SECONDS)
        file = getattr(sys.stdout, "buffer", None)
        if self._thread.is_alive() and isinstance(file, UnfailingFile):
            file.discard()

    def _run(self) -> None:
        while (print_ := self._waiting.get()) is not None:
            try:
                print_()
            except Exception:
                traceback.print_exc()


@contextlib.contextmanager
def relayed_output() -> Iterator[dict[str, Any]]:
    """Yield stdout= and stderr= for a child process, so that a closed pipe does not end it.

    This process relays the child's output, unless its own output is a terminal.
    """
    streams, relays = {}, []
    for name in ("stdout", "stderr"):
        file = getattr(getattr(sys, name), "buffer", None)
        if isinstance(file, UnfailingFile) and not file.isatty():
            reading, streams[name] = os.pipe()
            relays.append(threading.Thread(target=_relay, args=(reading, file), daemon=True))
            relays[-1].start()
    try:
        yield streams
    finally:
        for writing in streams.values():
            os.close(writing)
        for relay in relays:
            relay.join(PRINT_SECONDS)


def _relay(reading: int, file: UnfailingFile) -> None:
    while part := os.read(reading, 65536):
        file.write(part)
    os.close(reading)
