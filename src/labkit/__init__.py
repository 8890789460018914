"""The code shared by all labs: settings, pages, the `lab` command and the test harness."""

DISTRIBUTION = "django-http-state-lab"  # the name for pip and the package index
