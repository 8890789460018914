import pytest


@pytest.fixture(scope="session")
def server_environ():
    return {"DJANGO_SETTINGS_MODULE": "tests.quick_settings"}
