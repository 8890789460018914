"""This lab has no models. Django imports this file at startup, which connects the signal."""

from django.contrib.auth.models import User
from django.db import connections
from django.db.models.signals import post_migrate
from django.dispatch import receiver

DEMO = {"username": "ada", "password": "lovelace"}  # not secret: the login page shows it


@receiver(post_migrate)
def make_demo_user(sender, using, **kwargs):
    """Create the demo user if missing, after `migrate` and `flush` (which `lab reset` runs)."""
    # Django sends the signal once per app, even if only some apps were migrated.
    if sender.label == "lab" and "auth_user" in connections[using].introspection.table_names():
        users = User.objects.db_manager(using)
        if not users.filter(username=DEMO["username"]).exists():
            users.create_user(**DEMO)
