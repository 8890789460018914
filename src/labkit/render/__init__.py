"""Templates, palette and highlighting for the console and for pages in a single file."""

from pathlib import Path

PALETTE = Path(__file__).with_name("palette.css")
