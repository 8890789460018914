"""The rules by which browsers refuse or withhold cookies, and how to comply with them.

Section numbers are those of draft-ietf-httpbis-rfc6265bis, version 22.
"""

from enum import Enum

DRAFT = "https://www.ietf.org/archive/id/draft-ietf-httpbis-rfc6265bis-22.html"


class Rule(Enum):
    """A rule, the section that states it, and how a server can comply with it.

    Names in braces in a repair are filled in by labkit.http.cookie_repairs.
    """

    # Refused
    ENCODING = "5.6", "Send UTF-8, or encode the value, for example with percent signs."
    CONTROL_CHARACTER = "5.6", "Remove the control character, or encode the value."
    TAB = "5.6", "{remove_tab}. The RFC allows a tab, but Chromium does not."
    EMPTY = "5.7", "Give the cookie a name."
    NAMELESS_EQUALS = "5.7", "Give the cookie a name. Chromium refuses this one."
    TOO_LONG = "5.6", "Store the data on the server, and only a key in the cookie."
    PUBLIC_SUFFIX = "5.7", "Leave out Domain. The cookie then belongs to the host alone."
    OTHER_DOMAIN = "5.7", "Leave out Domain{own_domains}{who_may_set}."
    NO_HOST_NAME = "5.1.2", "Use a URL with a valid host name."
    PREFIX_SECURE = "5.4", "Add Secure{and_https}, or use a name without the prefix."
    PREFIX_HOST = "5.4", "{host_fix}, or use a name without the prefix."
    PREFIX_HTTP_ONLY = "5.4", "Add HttpOnly, or use a name without the prefix."
    PREFIX_NAMELESS = "5.7", "Give the cookie a name. Its value may then begin with a prefix."
    PARTITIONED_SECURE = "Partitioned cookies", "Add Secure{and_https}."
    SECURE_SOURCE = (
        "5.7",
        "Serve the page over https{or_no_secure}. At localhost, http is enough.",
    )
    SCRIPT_HTTP_ONLY = "5.7", "Set HttpOnly cookies on the server, not in a script."
    HIDES_SECURE = "5.7", "Choose another name, or set the cookie over https with Secure."
    CROSS_SITE_SET = (
        "5.7",
        "Add SameSite=None and Secure{and_https}, if other sites have to set it.",
    )
    NONE_SECURE = "5.7", "Add Secure{and_https}."
    SCRIPT_REPLACES = "5.7", "Replace HttpOnly cookies on the server, not in a script."
    BLOCKED = "5.3", "Ask the visitor to allow cookies, or do without them."
    # Not sent
    EXPIRED = "5.8.3", "Set it again with a later expiry before it expires."
    OTHER_HOST = "5.8.3", "{share_host}."
    OUTSIDE_DOMAIN = "5.8.3", "{share_domain}."
    OUTSIDE_PATH = "5.8.3", "Use Path=/. {path} matches {path_urls}, but not {target_path}."
    OTHER_PARTITION = (
        "Partitioned cookies",
        "Set the cookie while {top_site} is in the address bar, too, or leave out Partitioned. "
        "Browsers keep a Partitioned cookie separately for each site in the address bar.",
    )
    SECURE_TARGET = "5.8.3", "Request the URL over https."
    SCRIPT_READS = "5.8.3", "Leave out HttpOnly, if a script really has to read the cookie."
    STRICT = "5.8.3", "Use SameSite=Lax, which sends the cookie with links from other sites."
    EMBEDDED = (
        "5.8.3",
        "Use SameSite=None and Secure{and_https}, if other sites have to embed this.",
    )
    UNSAFE_METHOD = (
        "5.8.3",
        "Use SameSite=None and Secure{and_https}, if other sites have to send forms. Your own "
        "forms then need a CSRF token, since SameSite no longer protects them.",
    )

    def __init__(self, place: str, repair: str) -> None:
        self.place, self.repair = place, repair

    @property
    def source(self) -> str:
        """Return the rule's section, such as "RFC 6265bis, section 5.7"."""
        return f"RFC 6265bis, section {self.place}" if self._is_section else self.place

    @property
    def url(self) -> str:
        """Return the URL of the rule's text."""
        if self._is_section:
            return f"{DRAFT}#section-{self.place}"
        return "https://www.ietf.org/archive/id/draft-cutler-httpbis-partitioned-cookies-01.html"

    @property
    def _is_section(self) -> bool:
        return self.place[0].isdecimal()
