"""Remember this process's session keys, to explain why a key matches no session."""

import threading
from enum import StrEnum
from typing import NamedTuple

MOST_KEYS = 5000
LONGEST_KEY = 100  # in characters; longer keys come from signed_cookies and need not be remembered


class KeyFate(StrEnum):
    """The reason why a session key matches no session. Pages contain it as data-key-fate."""

    EXPIRED = "expired"
    DELETED = "deleted"
    GONE = "gone"  # the key matched a session earlier, and this process did not delete that session
    UNKNOWN = "unknown"  # the key has not been seen since this process started
    TOO_SHORT = "too-short"
    BAD_SIGNATURE = "bad-signature"


class _Seen(NamedTuple):
    expires: float | None  # in POSIX seconds; None if the expiry is not known
    is_deleted: bool = False


class SessionMemory:
    """The keys of sessions that were loaded, saved or deleted, oldest first."""

    def __init__(self) -> None:
        self._keys: dict[str, _Seen] = {}
        self._lock = threading.Lock()

    def note_saved(self, key: str, expires: float | None) -> None:
        """Remember a key and its session's expiry, in POSIX seconds."""
        self._note(key, _Seen(expires))

    def note_loaded(self, key: str) -> None:
        """Remember that a key matches a session. Its expiry is known only after a save."""
        if key not in self._keys:
            self._note(key, _Seen(None))

    def note_deleted(self, key: str, now: float) -> None:
        """Remember that a session was deleted, unless it had already expired."""
        seen = self._keys.get(key, _Seen(None))
        if seen.expires is None or seen.expires > now:
            self._note(key, seen._replace(is_deleted=True))

    def note_all_deleted(self) -> None:
        """Remember that all sessions were deleted."""
        with self._lock:
            self._keys = {key: seen._replace(is_deleted=True) for key, seen in self._keys.items()}

    def fate(self, key: str, now: float) -> tuple[KeyFate, float | None]:
        """Return why a key matches no session at the time `now`, and when its session expired.

        The second value is None unless the session has expired.
        """
        seen = self._keys.get(key)
        if seen is None:
            return KeyFate.UNKNOWN, None
        if seen.is_deleted:
            return KeyFate.DELETED, None
        if seen.expires is not None and seen.expires <= now:
            return KeyFate.EXPIRED, seen.expires
        return KeyFate.GONE, None

    def _note(self, key: str, seen: _Seen) -> None:
        if len(key) > LONGEST_KEY:
            return
        with self._lock:
            self._keys.pop(key, None)
            self._keys[key] = seen
            if len(self._keys) > MOST_KEYS:
                del self._keys[next(iter(self._keys))]
