"""Remembers the session keys that this process saw, to tell why one matches no session."""

import threading
from enum import StrEnum
from typing import NamedTuple

MOST_KEYS = 5000
LONGEST_KEY = 100  # characters; the engine signed_cookies has longer ones, which explain themselves


class KeyFate(StrEnum):
    """Why a session key that was sent matches no session. Pages carry it as data-key-fate."""

    EXPIRED = "expired"
    DELETED = "deleted"
    GONE = "gone"  # it matched a session before; not deleted by this process
    UNKNOWN = "unknown"  # not seen since this process started
    TOO_SHORT = "too-short"
    BAD_SIGNATURE = "bad-signature"


class _Seen(NamedTuple):
    expires: float | None  # POSIX seconds; None if it is not known
    is_deleted: bool = False


class SessionMemory:
    """The keys of sessions that were loaded, saved and deleted, the latest last."""

    def __init__(self) -> None:
        self._keys: dict[str, _Seen] = {}
        self._lock = threading.Lock()

    def note_saved(self, key: str, expires: float | None) -> None:
        """Remember a key and when its session expires, in POSIX seconds."""
        self._note(key, _Seen(expires))

    def note_loaded(self, key: str) -> None:
        """Remember a key that matches a session, whose expiry only a save reveals."""
        if key not in self._keys:
            self._note(key, _Seen(None))

    def note_deleted(self, key: str, now: float) -> None:
        """Remember that a session was deleted. One that had expired before stays expired."""
        seen = self._keys.get(key, _Seen(None))
        if seen.expires is None or seen.expires > now:
            self._note(key, seen._replace(is_deleted=True))

    def note_all_deleted(self) -> None:
        """Remember that all sessions were deleted."""
        with self._lock:
            self._keys = {key: seen._replace(is_deleted=True) for key, seen in self._keys.items()}

    def fate(self, key: str, now: float) -> tuple[KeyFate, float | None]:
        """Return why a key matches no session at `now`, and when that session expired, if known."""
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
