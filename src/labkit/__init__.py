"""The code shared by all labs: settings, pages, the `lab` command and the test harness."""

DISTRIBUTION = "django-http-state-lab"  # its name in pip and on the package index
