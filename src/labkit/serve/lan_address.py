"""Find this machine's address on the local network, and draw a URL as a QR code."""

import io
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segno import QRCode

# Looking up a route to these addresses sends no packets. See RFC 5737 and RFC 1918.
ELSEWHERE = ["192.0.2.1", "10.255.255.255", "192.168.255.255", "172.31.255.255"]


def own_address() -> str | None:
    """Return the IPv4 address at which other machines can reach this one, or None."""
    for target in ELSEWHERE:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((target, 9))
            except OSError:
                continue
            address = probe.getsockname()[0]
            if not address.startswith(("127.", "0.")):
                return str(address)
    return None


def qr_for_terminal(url: str) -> str:
    """Return a URL's QR code, drawn with characters, for any terminal."""
    drawn = io.StringIO()
    _qr(url).terminal(out=drawn, compact=True, border=2)
    return drawn.getvalue()


def qr_as_svg(url: str) -> str:
    """Return a URL's QR code as an SVG element for a page."""
    return _qr(url).svg_inline(
        border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", title=url
    )


def _qr(url: str) -> "QRCode":
    import segno  # on first use, so that `lab serve` needs less memory

    return segno.make(url, micro=False)
