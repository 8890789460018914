"""What the labs share: their manifest, their settings helpers, the `lab` command, and the test harness."""
