"""The notices that several labs show when what a browser or the store holds is not valid."""

UNKNOWN_KEY = (
    "Your browser sent a session key that matches no session. This page cannot tell why: "
    "it has expired, or was deleted, corrupted or never issued here."
)
ALTERED_CART = "Something other than this lab has changed the stored cart. Only valid items count."
