"""Templates, palette and syntax highlighting for the console and for single-file pages."""

from pathlib import Path

PALETTE = Path(__file__).with_name("palette.css")
