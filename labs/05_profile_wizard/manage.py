#!/usr/bin/env python
import os
import sys
from importlib.util import find_spec

from django.core.management import execute_from_command_line

# The environment may name the settings of another project, which cannot be imported here.
module = os.environ.get("DJANGO_SETTINGS_MODULE", "").partition(".")[0]
if not module or not find_spec(module):
    os.environ["DJANGO_SETTINGS_MODULE"] = "lab.settings"
execute_from_command_line(sys.argv)
