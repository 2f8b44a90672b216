"""Fixtures for every suite below this folder."""

import os
from collections.abc import Iterator

import pytest

from testing.postgres import Postgres, migrate


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """The address of a migrated database: TEST_DATABASE_URL, or one that lives as long as the run."""
    given = os.environ.get("TEST_DATABASE_URL")
    server = None if given else Postgres().start()
    url = given or server.url
    try:
        run = migrate(url)
        assert run.returncode == 0, run.stderr
        yield url
    finally:
        if server:
            server.remove()
