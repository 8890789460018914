"""What the labs share: manifest, settings helpers, pages, the `lab` command, test harness."""
