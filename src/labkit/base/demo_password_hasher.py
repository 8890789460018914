"""Provide a fast password hasher for passwords that are not secret."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class DemoPasswordHasher(PBKDF2PasswordHasher):
    """Django's default hasher with fewer iterations: it takes 1 ms instead of a third of a second.

    https://docs.djangoproject.com/en/5.2/topics/auth/passwords/#increasing-the-work-factor
    """

    iterations = 1000
