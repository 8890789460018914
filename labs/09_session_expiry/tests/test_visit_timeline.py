"""Test that the panel's timeline of a visit predicts when cookies and sessions end."""

import pytest


@pytest.mark.in_process
@pytest.mark.thorough
@pytest.mark.parametrize("every_request", [False, True])
def test_predicted_ends_are_the_real_ones(pytestconfig, monkeypatch, settings, every_request):
    from labkit.testing import state_machine
    from tests import visit_machine

    monkeypatch.setenv("LAB_PANEL", "1")
    compared = visit_machine.VisitMachine.compared
    compared.clear()
    settings.SESSION_SAVE_EVERY_REQUEST = every_request
    state_machine.run(visit_machine.VisitMachine, pytestconfig.getoption("lab_examples"))
    assert min(compared["cookie"], compared["row"]) > 20
