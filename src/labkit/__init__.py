"""The code shared by all labs: settings, pages, the `lab` command and the test harness."""
