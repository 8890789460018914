"""Find out what happened to the visitor's session in one exchange."""

from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

from django.conf import settings

from labkit.panel.models import Exchange, StoreOperation, open_snapshot
from labkit.panel.session_memory import KeyFate
from labkit.session_stores import kinds


class SessionEvent(StrEnum):
    """The effect of an exchange on the session. Pages contain it as data-session."""

    UNTOUCHED = "untouched"
    READ = "read"
    CREATED = "created"
    SAVED = "saved"
    NEW_KEY = "new-key"  # saved under a new key, as cycle_key() and a login do
    REPLACED = "replaced"  # deleted, after which a new session was created
    DELETED = "deleted"
    EMPTY = "empty"  # changed, but the session is empty, so there is nothing to save
    DISCARDED = "discarded"  # changed, but Django saves nothing because the status is 500 or higher
    CHANGE_LOST = "change-lost"  # changed inside an entry, which Django does not notice
    NOT_DELIVERED = "not-delivered"  # saved to a cookie, but the response does not set this cookie
    # Another request deleted the session before this request saved it.
    DELETED_BY_OTHER = "deleted-by-other"
    SAVE_FAILED = "save-failed"
    LOAD_FAILED = "load-failed"


# Events after which the session is in the store.
WRITTEN = {
    SessionEvent.CREATED,
    SessionEvent.SAVED,
    SessionEvent.NEW_KEY,
    SessionEvent.REPLACED,
}
SHORTEST_KEY = 8  # characters, in SessionBase._validate_session_key()


class SaveCause(StrEnum):
    """The reason for saving a session."""

    MODIFIED = "modified"  # session.modified is True
    EVERY_REQUEST = "every-request"  # SESSION_SAVE_EVERY_REQUEST
    VIEW = "view"  # the view called save()


class Outcome:
    """The effects of one exchange on its visitor's session.

    https://docs.djangoproject.com/en/5.2/topics/http/sessions/#when-sessions-are-saved
    """

    def __init__(self, exchange: Exchange) -> None:
        # These attributes are computed immediately, because every page's summary bar needs them.
        self.exchange = exchange
        self.accessed = bool(exchange.accesses.get(exchange.store_id or 0))
        self.error_response = exchange.status >= 500
        self.load: StoreOperation | None = None  # None if the session was not loaded
        self.write: StoreOperation | None = None  # the last write of the session, or None
        self._created = False  # whether the final session was created in this exchange
        self._old_deleted: Literal["", "before", "after"] = ""  # relative to its creation
        for each in exchange.operations:
            if each.store_id != exchange.store_id:
                continue
            if each.kind == "load":
                self.load = self.load or each
            elif each.kind == "delete" and exchange.key and each.key != exchange.key:
                self._old_deleted = "after" if self._created else "before"
            else:
                self.write = each
                self._created = self._created or (each.kind == "create" and not each.error)
        self.event = self._decide()

    def _decide(self) -> SessionEvent:
        """Return the event that describes what happened to the session."""
        load, write = self.load, self.write
        if write is not None and write.error:
            gone = write.error.startswith("UpdateError")
            return SessionEvent.DELETED_BY_OTHER if gone else SessionEvent.SAVE_FAILED
        if load is not None and load.error:
            return SessionEvent.LOAD_FAILED
        if write is not None:
            # A session that is stored in the cookie must be sent to the browser.
            in_cookie = "cookie" in kinds(self.exchange.engine)
            if in_cookie and settings.SESSION_COOKIE_NAME not in self.exchange.set_cookie_names():
                return SessionEvent.NOT_DELIVERED
            return self._written(write)
        if self.exchange.modified:
            return SessionEvent.DISCARDED if self.error_response else SessionEvent.EMPTY
        if self._change_lost:
            return SessionEvent.CHANGE_LOST
        return SessionEvent.READ if self.accessed else SessionEvent.UNTOUCHED

    def _written(self, write: StoreOperation) -> SessionEvent:
        """Return the event for a session that was created, saved or deleted."""
        if write.kind == "delete":
            return SessionEvent.DELETED
        if self.load is None or not self.load.found:
            # After refusing a cookie, signed_cookies saves a new session whose key is the cookie's
            # value.
            is_new = self._created or self.load is not None
            return SessionEvent.CREATED if is_new else SessionEvent.SAVED
        if not self._created:
            return SessionEvent.SAVED
        if not self._old_deleted:
            return SessionEvent.CREATED
        # cycle_key() creates the new session before it deletes the old one; flush() deletes first.
        return SessionEvent.NEW_KEY if self._old_deleted == "after" else SessionEvent.REPLACED

    @property
    def _change_lost(self) -> bool:
        """True if data in the session changed after it was loaded, and the change was not saved."""
        if self.exchange.session_after is None:
            return False
        if self.load is not None and self.load.data == self.exchange.session_after:
            return False  # without decoding them
        return None not in (self.before, self.after) and self.before != self.after

    @cached_property
    def save_cause(self) -> SaveCause | None:
        """Why the session was created or saved, or None if it was neither."""
        if self.event not in WRITTEN or self.write is None:
            return None
        if self.error_response:
            return SaveCause.VIEW  # Django would not have saved the session for an error response
        if self.write.modified:
            return SaveCause.MODIFIED
        return SaveCause.EVERY_REQUEST if settings.SESSION_SAVE_EVERY_REQUEST else SaveCause.VIEW

    @cached_property
    def deleted(self) -> bool:
        """True if the view deleted the session."""
        return self.write is not None and self.write.kind == "delete"

    @cached_property
    def was_stored(self) -> bool:
        """True if the server loaded a session, or wrote one that was not deleted."""
        if self.write is not None and not self.write.error:
            return not self.deleted
        return self.load is not None and not self.load.error and self.load.found

    @cached_property
    def before(self) -> dict[str, Any] | None:
        """The session's entries as loaded, or None if they were too large to store."""
        return open_snapshot(self.load.data) if self.load and not self.load.error else {}

    @cached_property
    def after(self) -> dict[str, Any] | None:
        """The session's entries at the end, or None if they were too large to store."""
        if self.deleted:
            return {}
        if self.exchange.session_after is None:
            return self.before if self.load else {}
        return open_snapshot(self.exchange.session_after)

    @cached_property
    def sent_key(self) -> str:
        """The session key that the browser sent, or ""."""
        sent = dict(self.exchange.sent_cookies())
        return sent.get(settings.SESSION_COOKIE_NAME, "").strip('"')

    @cached_property
    def key_fate(self) -> KeyFate | None:
        """Why the key matches no session, or None if it matches one or was not looked up."""
        if self.load is not None:
            return self.load.key_fate
        if not self.accessed or not self.exchange.engine:
            return None
        is_short = self.sent_key and len(self.sent_key) < SHORTEST_KEY
        return KeyFate.TOO_SHORT if is_short else None

    @property
    def expired_at(self) -> float | None:
        """When the session with this key expired, in POSIX seconds, or None if it has not."""
        return self.load.expired_at if self.load else None

    @cached_property
    def key_before(self) -> str:
        """The key of the session before the exchange, or "" if the key sent matched none."""
        if self.load is None:
            return self.sent_key
        return (self.load.key or "") if self.load.found else ""

    @cached_property
    def key_after(self) -> str:
        """The key of the visitor's session after the exchange, or "" if there is none."""
        without_effect = self.event is SessionEvent.NOT_DELIVERED
        if self.write is None or self.write.error or without_effect:
            return self.key_before
        return "" if self.deleted else self.write.key or ""
