"""Keep tests of a group in one process of pytest-xdist, in the order in which they were collected.

pytest-xdist's own `--dist loadgroup` ignores groups with pytest 9.2, because it writes them into
node IDs: https://github.com/pytest-dev/pytest-xdist/issues/1386. Here, the processes that collect
the tests write the groups to a file, which the scheduler in the main process reads.
"""

import json
import os
import tempfile
from functools import cached_property
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

GROUPS = "lab_groups"  # the name of the file's path in pytest-xdist's workerinput


def group_of(item):
    """Return the name of a test's group; a test that shares nothing has a separate group.

    The mark xdist_group names the group. By default, tests that use a fixture of their module or
    class are a group.
    """
    if mark := item.get_closest_marker("xdist_group"):
        return mark.args[0]
    fixtures = [each[-1] for each in item._fixtureinfo.name2fixturedefs.values()]
    scopes = {each.scope for each in fixtures if each.baseid}  # "" for fixtures of plugins
    if "module" in scopes:
        return item.nodeid.partition("::")[0]
    return item.nodeid.rpartition("::")[0] if "class" in scopes else item.nodeid


class GroupScheduling(LoadScopeScheduling):
    """A scheduler that reads {node ID: group} from a file once all tests are collected."""

    def __init__(self, config, log, path):
        super().__init__(config, log)
        self._path = path

    @cached_property
    def _groups(self):
        return json.loads(Path(self._path).read_text(encoding="utf-8"))

    def _split_scope(self, nodeid):
        return self._groups[nodeid]


class GroupPlugin:
    """The hooks of pytest-xdist that replace its scheduler for `--dist loadgroup`."""

    def __init__(self):
        self._path = None  # of the file in the main process

    def pytest_configure_node(self, node):
        if self._path is None:
            handle, self._path = tempfile.mkstemp(prefix="labkit-groups-", suffix=".json")
            os.close(handle)
        node.workerinput[GROUPS] = self._path

    def pytest_xdist_make_scheduler(self, config, log):
        if config.getvalue("dist") == "loadgroup":
            return GroupScheduling(config, log, self._path)

    @pytest.hookimpl(tryfirst=True)  # then pytest-xdist reports that all tests are collected
    def pytest_collection_finish(self, session):
        told = getattr(session.config, "workerinput", {})
        if told.get("workerid") == "gw0":
            groups = {item.nodeid: group_of(item) for item in session.items}
            Path(told[GROUPS]).write_text(json.dumps(groups), encoding="utf-8")

    def pytest_unconfigure(self):
        if self._path is not None:
            Path(self._path).unlink(missing_ok=True)
