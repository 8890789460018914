"""The lab's settings with a quick password hasher, for the lab's server under test."""

from lab.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
