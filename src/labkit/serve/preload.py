"""Import the modules that all labs need once, and start each lab as a copy of this process.

This process never imports a lab's own code, so a restarted lab runs its current code. It also must
not read the settings, because each lab has different settings.
"""

import contextlib
import gc
import os
import sys
import threading
from importlib import import_module

from django.core.exceptions import ImproperlyConfigured

from labkit.processes.fork_server import ForkServer
from labkit.serve import worker

START = "LABKIT_START"  # an environment variable; "spawn" starts each lab as a new process
# These modules import most of Django and labkit. Models and the modules that import them are left
# out, because they need the settings. None of these modules may create a secret at import,
# because all labs would share it.
MODULES = """
django.contrib.auth.apps django.contrib.auth.decorators django.contrib.auth.hashers
django.contrib.auth.password_validation django.contrib.auth.tokens
django.contrib.contenttypes.apps
django.contrib.sessions.apps django.contrib.sessions.backends.cache
django.contrib.sessions.backends.cached_db django.contrib.sessions.backends.file
django.contrib.sessions.backends.signed_cookies django.contrib.sessions.middleware
django.contrib.sites.shortcuts
django.core.management.commands.migrate django.core.wsgi
django.db.backends.sqlite3.base django.db.models.sql.compiler
django.middleware.clickjacking django.middleware.common django.middleware.csrf
django.middleware.security
django.template.context_processors django.template.loaders.app_directories
django.template.loaders.cached
django.templatetags.cache django.templatetags.l10n django.templatetags.tz
django.utils.translation.reloader
django.views.decorators.cache django.views.decorators.csrf django.views.decorators.vary
labkit.base.apps labkit.base.conf labkit.base.cookie_names labkit.base.demo_password_hasher
labkit.base.form_fields labkit.base.middleware labkit.base.notices labkit.base.session_lock
labkit.base.templatetags.labkit labkit.base.urls
labkit.panel.apps labkit.panel.middleware labkit.panel.running_record
labkit.race
labkit.serve.database_connections labkit.serve.migrations
"""
MYSQL = "django.db.backends.mysql.base django.db.backends.mysql.schema"


def start_fork_server(*, mysql: bool) -> ForkServer | None:
    """Start a fork server for labs, or return None if labs cannot be forked here.

    This works only on Linux, in a process without other threads, and unless LABKIT_START is
    "spawn". `mysql`: whether labs will use MySQL or MariaDB.
    """
    if sys.platform != "linux" or os.environ.get(START) == "spawn":
        return None
    if threading.active_count() > 1:
        return None
    # A garbage collection would only leave holes in the memory that is about to be shared.
    gc.disable()
    for name in f"{MODULES} {MYSQL if mysql else ''}".split():
        # mysqlclient or a module of another Django may be missing; the labs then import the rest.
        with contextlib.suppress(ImportError, ImproperlyConfigured):
            import_module(name)
    server = ForkServer(worker.run_command)
    gc.enable()
    return server
