"""Show a visitor's whole visit on a time axis, and write it as a test or script."""
