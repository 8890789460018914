"""Names that break careless carts; names and quantities that every cart must refuse."""

# Names that break carts that use them as names of cookies, session entries or template variables.
HOSTILE_NAMES = [
    # Names that are not valid for a cookie, since they are not tokens.
    "red apple", "a;b", "a=b", "a,b", "a/b", "[x]", "{x}", '"q"', "apple(1)", "\\", "100%", "%41",
    "café", "日本　語", "a\u00a0b", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "अनार", "日本", "🍎",
    "e\u0301", "می\u200cخواهم", "क्\u200dष",
    # The attributes of Set-Cookie, which http.cookies reserves.
    "path", "Path", "expires", "Max-Age", "HttpOnly", "samesite", "Domain",
    "version", "secure", "comment", "partitioned",
    # names of other cookies on this host, and names with a special meaning for browsers
    "sessionid", "csrftoken", "messages", "sessionid_04", "csrftoken_03", "csrftoken_04",
    "cart_03_apple", "__Host-x", "__Secure-x", "count",
    # Names of session entries that Django uses.
    "_session_expiry", "_auth_user_id", "_auth_user_backend", "_auth_user_hash", "testcookie",
    "_password_reset_token", "_csrftoken", "_messages", "cart",
    # Attributes of a session or dictionary, which a template could confuse with items.
    "items", "keys", "get", "pop", "get_expiry_age", "__class__", "0",
    # markup
    "<script>alert(7)</script>", '"><script>alert(7)</script>', "'+alert(7)+'", "&amp;", "{{ x }}",
    "{% x %}",
    "x" * 40, "अ" * 40, "🍎" * 40,
]  # fmt: skip

REFUSED_NAMES = [
    "", " ", "\t", "x" * 41, "x" * 300, "x" * 5000, "a\r\nSet-Cookie: b=c", "a\nb", "a\x00b",
    "a\x7fb",
    "a\u202eb", "\u200d", "\u3164", "\ufe0f", "\ufeff", "\ud7a4\u2028",
]  # fmt: skip

REFUSED_QUANTITIES = [
    "", "abc", "-1", "0", "1000", "1.5", "1e2", "NaN", "9" * 30, "9" * 5000,
    "1,5", "<script>", "1_0",
    "+7", "٣", "９", "٣٣",
]  # fmt: skip
