"""Derives what happened to the visitor's session in one exchange; the rest only formats it."""

from enum import StrEnum
from functools import cached_property
from typing import Any

from django.conf import settings

from labkit.panel.models import Exchange, StoreOperation, open_snapshot
from labkit.session_stores import kinds


class SessionEvent(StrEnum):
    """The one thing that decides what became of the session. Pages carry it as data-session."""

    UNTOUCHED = "untouched"
    READ = "read"
    CREATED = "created"
    SAVED = "saved"
    DELETED = "deleted"
    EMPTY = "empty"  # changed, but there is nothing in it to save
    DISCARDED = "discarded"  # changed, but a response of 500 or above saves nothing
    CHANGE_LOST = "change-lost"  # changed inside an entry, which Django does not notice
    NOT_DELIVERED = "not-delivered"  # saved into a cookie that the response does not set
    DELETED_BY_OTHER = "deleted-by-other"  # another request deleted it before this one saved it
    SAVE_FAILED = "save-failed"
    LOAD_FAILED = "load-failed"


_WRITTEN = {  # the operation of the store -> the event
    "create": SessionEvent.CREATED,
    "save": SessionEvent.SAVED,
    "delete": SessionEvent.DELETED,
}


class SaveCause(StrEnum):
    """The reason why a session was saved."""

    MODIFIED = "modified"  # session.modified is True
    EVERY_REQUEST = "every-request"  # SESSION_SAVE_EVERY_REQUEST
    VIEW = "view"  # the view called save()


class Outcome:
    """The outcome of one exchange for the session of its visitor.

    https://docs.djangoproject.com/en/5.2/topics/http/sessions/#when-sessions-are-saved
    """

    def __init__(self, exchange: Exchange) -> None:
        # Not lazy, unlike the rest: every page's summary bar needs these.
        self.exchange = exchange
        self.accessed = bool(exchange.accesses.get(exchange.store_id or 0))
        self.error_response = exchange.status >= 500
        self.load: StoreOperation | None = None  # None if it was not loaded
        self.write: StoreOperation | None = None  # the last one that counts, None if there is none
        for each in exchange.operations:
            if each.store_id != exchange.store_id:
                continue
            if each.kind == "load":
                self.load = self.load or each
            # A session with a new key deletes its old one, which decides nothing.
            elif each.kind != "delete" or not exchange.key or each.key == exchange.key:
                self.write = each
        self.event = self._decide()

    def _decide(self) -> SessionEvent:
        """Return the one event that decides what became of the session."""
        load, write = self.load, self.write
        if write is not None and write.error:
            gone = write.error.startswith("UpdateError")
            return SessionEvent.DELETED_BY_OTHER if gone else SessionEvent.SAVE_FAILED
        if load is not None and load.error:
            return SessionEvent.LOAD_FAILED
        if write is not None:
            # A session stored in the cookie has to reach the browser.
            in_cookie = "cookie" in kinds(self.exchange.engine)
            if in_cookie and settings.SESSION_COOKIE_NAME not in self.exchange.set_cookie_names():
                return SessionEvent.NOT_DELIVERED
            return _WRITTEN[write.kind]
        if self.exchange.modified:
            return SessionEvent.DISCARDED if self.error_response else SessionEvent.EMPTY
        if self._change_lost:
            return SessionEvent.CHANGE_LOST
        return SessionEvent.READ if self.accessed else SessionEvent.UNTOUCHED

    @property
    def _change_lost(self) -> bool:
        """True if the session ended with other data than were loaded, and nothing saved it."""
        if self.exchange.session_after is None:
            return False
        if self.load is not None and self.load.data == self.exchange.session_after:
            return False  # no need to decode them
        return None not in (self.before, self.after) and self.before != self.after

    @cached_property
    def save_cause(self) -> SaveCause | None:
        """Why the session was created or saved; None if it was not."""
        if self.event not in {SessionEvent.CREATED, SessionEvent.SAVED} or self.write is None:
            return None
        if self.error_response:
            return SaveCause.VIEW  # Django itself saves nothing then
        if self.write.modified:
            return SaveCause.MODIFIED
        return SaveCause.EVERY_REQUEST if settings.SESSION_SAVE_EVERY_REQUEST else SaveCause.VIEW

    @cached_property
    def deleted(self) -> bool:
        """True if the view deleted the session."""
        return self.write is not None and self.write.kind == "delete"

    @cached_property
    def was_stored(self) -> bool:
        """True if the server loaded the session, or wrote one that is not deleted."""
        if self.write is not None and not self.write.error:
            return not self.deleted
        return self.load is not None and not self.load.error and self.load.found

    @cached_property
    def before(self) -> dict[str, Any] | None:
        """The session's entries as loaded; None if they were too large to remember."""
        return open_snapshot(self.load.data) if self.load and not self.load.error else {}

    @cached_property
    def after(self) -> dict[str, Any] | None:
        """The session's entries in the end; None if they were too large to remember."""
        if self.deleted:
            return {}
        if self.exchange.session_after is None:
            return self.before if self.load else {}
        return open_snapshot(self.exchange.session_after)

    @cached_property
    def sent_key(self) -> str:
        """The session key that the browser sent; empty if none."""
        sent = dict(self.exchange.sent_cookies())
        return sent.get(settings.SESSION_COOKIE_NAME, "").strip('"')

    @cached_property
    def key_before(self) -> str:
        """The key of the session that the request belongs to; empty if it matches no session."""
        if self.load is None:
            return self.sent_key
        return (self.load.key or "") if self.load.found else ""

    @cached_property
    def key_after(self) -> str:
        """The key of the visitor's session after the exchange; empty if there is none."""
        without_effect = self.event is SessionEvent.NOT_DELIVERED
        if self.write is None or self.write.error or without_effect:
            return self.key_before
        return "" if self.deleted else self.write.key or ""
