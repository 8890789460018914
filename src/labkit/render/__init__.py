"""Templates, palette and highlighting shared by the console and by pages in one file."""

from pathlib import Path

PALETTE = Path(__file__).with_name("palette.css")
