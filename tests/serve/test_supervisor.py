"""The supervisor of `lab serve`, with small child processes instead of servers."""

import dataclasses
import os
import signal
import sys
import threading

import pytest
from serving import alive, until

from labkit.serve import supervisor, worker
from labkit.serve.supervisor import MAX_DEATHS, LabProcess, Supervisor
from labkit.services import lab_reset

READY = "print('ready', flush=True); sys.stdin.read()"
# A child process that runs until its pipe is closed, or fails if the file `broken` exists.
CHILD = f"import os, sys; os.path.exists('broken') and sys.exit('no such module'); {READY}"


@pytest.fixture
def lab(checkout, tmp_path, monkeypatch):
    """Lab 03 in an empty folder, with CHILD as its server."""
    monkeypatch.setenv("LAB_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(worker, "command", lambda port, addresses: [sys.executable, "-c", CHILD])
    return dataclasses.replace(checkout.find("03"), folder=tmp_path)


@pytest.fixture
def reports():
    """Return the list of the supervisor's reports, as (state, sentence)."""
    return []


@pytest.fixture
def process(lab, reports, fork_server):
    """Yield the lab once it has started and is stable."""
    process = LabProcess(
        lab,
        8003,
        [],
        os.environ,
        lambda process, text: reports.append((process.state, text)),
        fork_server=fork_server,
    )
    process.start()
    assert process.stable.wait(supervisor.START_SECONDS)
    yield process
    process.end()
    process.wait_until_ended()
    assert process.state == "stopped"
    assert process.pid is None


def kill(process):
    """Kill the lab's process, and wait until it is restarted or the supervisor gives up."""
    pid = process.pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: process.stable.is_set() and process.pid != pid)


def test_a_lab_that_starts_is_reported_as_running(process, reports):
    assert process.state == "running"
    assert reports == [("running", "")]
    assert alive([process.pid])


def test_a_start_keeps_the_log_of_another_server(lab, fork_server):
    before = LabProcess(
        lab, 8003, [], os.environ, lambda process, text: None, fork_server=fork_server
    ).log
    before.write_text("from another lab serve\n")
    second = LabProcess(
        lab, 8103, [], os.environ, lambda process, text: None, fork_server=fork_server
    )
    second.start()
    assert second.stable.wait(supervisor.START_SECONDS)
    second.end()
    second.wait_until_ended()
    assert before.read_text().startswith("from another lab serve\n")


def test_a_lab_that_dies_is_restarted(process, reports):
    kill(process)
    assert (process.state, process.restarts) == ("running", 1)
    assert process.reason == "ended by SIGKILL"
    assert [state for state, _ in reports] == ["running", "starting", "running"]
    assert "SIGKILL" in reports[1][1]


def test_a_lab_that_keeps_dying_is_given_up(process):
    for _ in range(MAX_DEATHS - 1):
        kill(process)
        assert process.state == "running"
    kill(process)
    assert (process.state, process.restarts, process.pid) == ("failed", MAX_DEATHS - 1, None)


def test_deaths_long_ago_do_not_count(process, monkeypatch):
    monkeypatch.setattr(supervisor, "DEATH_WINDOW", 0)
    for _ in range(MAX_DEATHS + 1):
        kill(process)
    assert process.state == "running"


def test_a_lab_that_cannot_start_fails_and_can_be_restarted(lab, fork_server):
    broken = lab.folder / "broken"
    broken.touch()
    failing = LabProcess(
        lab, 8003, [], os.environ, lambda process, text: None, fork_server=fork_server
    )
    failing.start()
    assert failing.stable.wait(supervisor.START_SECONDS)
    assert (failing.state, failing.reason, failing.pid) == ("failed", "no such module", None)
    assert failing.log.read_text() == "no such module\n"
    broken.unlink()
    failing.restart("starting", lambda: "repaired").wait(supervisor.START_SECONDS)
    assert (failing.state, failing.reason, failing.note) == ("running", "", "repaired")
    failing.end()
    failing.wait_until_ended()


def test_a_process_that_cannot_be_made_is_a_failure(lab, fork_server):
    missing = dataclasses.replace(lab, folder=lab.folder / "missing")
    failing = LabProcess(
        missing, 8003, [], os.environ, lambda process, text: None, fork_server=fork_server
    )
    failing.start()
    assert failing.stable.wait(supervisor.START_SECONDS)
    assert failing.state == "failed"
    assert str(missing.folder) in failing.reason
    missing.folder.mkdir()
    failing.restart("starting", str).wait(supervisor.START_SECONDS)
    assert failing.state == "running"
    failing.end()
    failing.wait_until_ended()


def test_a_restart_works_while_the_process_is_down(process):
    before, seen = process.pid, []

    def work():
        seen.append((process.state, process.changing, alive([before])))
        return "done"

    process.restart("resetting", work).wait(supervisor.START_SECONDS)
    assert seen == [("resetting", True, [])]
    assert (process.state, process.note, process.restarts) == ("running", "done", 0)
    assert not process.changing
    assert process.pid != before


def test_a_restart_forgets_earlier_deaths(process):
    for _ in range(MAX_DEATHS - 1):
        kill(process)
    process.restart("starting", lambda: "").wait(supervisor.START_SECONDS)
    assert (process.restarts, process.reason) == (0, "")
    kill(process)
    assert process.state == "running"


def test_an_error_during_a_reset_is_noted_and_the_lab_runs(process):
    def work():
        raise OSError("disk full")

    process.restart("resetting", work).wait(supervisor.START_SECONDS)
    assert process.state == "running"
    assert "disk full" in process.note


def test_a_lab_that_does_not_answer_in_time_fails(lab, monkeypatch, fork_server):
    silent = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    monkeypatch.setattr(worker, "command", lambda port, addresses: silent)
    monkeypatch.setattr(supervisor, "START_SECONDS", 0)
    late = LabProcess(
        lab, 8003, [], os.environ, lambda process, text: None, fork_server=fork_server
    )
    late.start()
    assert late.stable.wait(30)
    assert (late.state, late.reason) == ("failed", "ended by SIGKILL")
    late.end()
    late.wait_until_ended()


def test_several_labs_are_reset_at_the_same_time(checkout, lab, monkeypatch, fork_server):
    together = threading.Barrier(2)
    monkeypatch.setattr(lab_reset, "reset", lambda *_, **__: [f"store {together.wait(30)}"])
    served = Supervisor(
        checkout,
        [lab, dataclasses.replace(lab, number="04")],
        port=8000,
        environ=os.environ,
        fork_server=fork_server,
    )
    assert [process.port for process in served.labs] == [8003, 8004]
    served.start()
    for process in served.labs:
        assert process.stable.wait(supervisor.START_SECONDS)
    served.reset(served.labs)
    assert {process.state for process in served.labs} == {"running"}
    assert sorted(process.note[-8:-1] for process in served.labs) == ["store 0", "store 1"]
    served.stop()
    assert {process.state for process in served.labs} == {"stopped"}


def test_a_supervisor_that_was_never_started_can_be_stopped(checkout, lab):
    served = Supervisor(checkout, [lab], port=8000, environ=os.environ)
    served.stop()
    assert served.find("03").pid is None
    assert served.find("04") is None
    assert served.class_url is None
