"""Find out whether a lab's database is up to date, without importing its migrations.

Django's MigrationExecutor imports all of them and builds a graph. At each start of `lab serve`,
this would take time, and up to 8 MB of memory in each lab (bench/start.py).
"""

from importlib.util import find_spec
from pkgutil import iter_modules

from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader

TABLE = "django_migrations"
NOT_MIGRATIONS = "_~"  # the first characters of names that Django ignores, too
Migration = tuple[str, str]  # app label, name


def pending_migrations() -> set[Migration]:
    """Return the installed apps' migrations that are not recorded as applied in the database."""
    return _on_disk() - _applied()


def _on_disk() -> set[Migration]:
    found = set()
    for app in apps.get_app_configs():
        package, _ = MigrationLoader.migrations_module(app.label)
        spec = find_spec(package) if package else None
        for _, name, is_package in iter_modules(spec.submodule_search_locations if spec else []):
            if not is_package and name[0] not in NOT_MIGRATIONS:
                found.add((app.label, name))
    return found


def _applied() -> set[Migration]:
    # Django's MigrationRecorder would create a model for this table.
    with connection.cursor() as cursor:
        if TABLE not in connection.introspection.table_names(cursor):
            return set()
        cursor.execute(f"SELECT app, name FROM {TABLE}")
        return set(cursor.fetchall())
