"""Notices about an invalid cookie or session, which several labs show."""

UNKNOWN_KEY = (
    "Your browser sent a session key that matches no session. This page cannot tell why: "
    "it has expired, or was deleted, corrupted or never issued here."
)
ALTERED_CART = "Something other than this lab has changed the stored cart. Only valid items count."
