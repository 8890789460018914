"""A lab's settings with a quick hash: Django's own takes a third of a second for each login."""

from lab.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
