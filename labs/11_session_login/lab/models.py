"""No table of the lab's own; Django imports this file at its start, in time to ask for a user."""

from django.contrib.auth.models import User
from django.db import connections
from django.db.models.signals import post_migrate
from django.dispatch import receiver

DEMO = {"username": "ada", "password": "lovelace"}  # no secret: the login page says it


@receiver(post_migrate)
def make_demo_user(sender, using, **kwargs):
    """Make the one user there is, if missing: after migrate, and after flush (lab reset)."""
    # The signal comes once for each app, and also where only some apps were migrated.
    if sender.label == "lab" and "auth_user" in connections[using].introspection.table_names():
        users = User.objects.db_manager(using)
        if not users.filter(username=DEMO["username"]).exists():
            users.create_user(**DEMO)
