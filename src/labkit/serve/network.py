"""This machine's address in the local network, and a QR code that leads a phone there."""

import io
import socket

import segno

# Addresses nobody has; to choose a way to one of them sends nothing. RFC 5737, RFC 1918.
ELSEWHERE = ["192.0.2.1", "10.255.255.255", "192.168.255.255", "172.31.255.255"]


def own_address() -> str | None:
    """The IPv4 address by which other machines reach this one; None without a network."""
    for there in ELSEWHERE:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((there, 9))
            except OSError:
                continue
            address = probe.getsockname()[0]
            if not address.startswith(("127.", "0.")):
                return str(address)
    return None


def qr_for_terminal(address: str) -> str:
    """The QR code of this address, drawn with characters: light on dark, whatever the terminal."""
    drawn = io.StringIO()
    segno.make(address, micro=False).terminal(out=drawn, compact=True, border=2)
    return drawn.getvalue()


def qr_as_svg(address: str) -> str:
    """The QR code of this address as an SVG element to stand in a page."""
    code = segno.make(address, micro=False)
    return code.svg_inline(
        border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", title=address
    )
