"""The code that the labs share: settings, pages, the `lab` command and the test harness."""
