"""Where the running stack is: given by the environment, or started here as plain processes.

TODO_BACKEND_URL   needed for a stack that runs somewhere already
TODO_MCP_URL       its MCP server, without /mcp; tests that need it are skipped when it is not given
TODO_FRONTEND_URL  its frontend, likewise
TODO_AGENT_URL     its agent, likewise
TODO_AUTH_SECRET   its AUTH_SECRET, for the token that is right but for its end; likewise
TODO_DATABASE_URL  its database, to look for rows behind the services' backs; likewise
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest

from testing.processes import AUTH_SECRET, Stack

NAMES = ("backend", "mcp", "frontend", "agent", "database")


@dataclass(frozen=True)
class Addresses:
    backend: str
    mcp: str = ""
    frontend: str = ""
    agent: str = ""
    database: str = ""
    auth_secret: str = ""

    def need(self, name: str) -> str:
        value = getattr(self, name)
        if not value:
            pytest.skip(f"the address of the {name} is not given")
        return value


@dataclass(frozen=True)
class User:
    id: str
    api: httpx.Client


@pytest.fixture(scope="session")
def addresses(request: pytest.FixtureRequest) -> Iterator[Addresses]:
    given = {name: os.environ.get(f"TODO_{name.upper()}_URL", "").rstrip("/") for name in NAMES}
    if given["backend"]:
        yield Addresses(**given, auth_secret=os.environ.get("TODO_AUTH_SECRET", ""))
        return
    database_url = request.getfixturevalue("database_url")
    with Stack(database_url) as stack:
        yield Addresses(
            backend=stack.backend.url,
            mcp=stack.mcp.url,
            agent=stack.agent.url,
            frontend=stack.frontend.url if stack.frontend else "",
            database=database_url,
            auth_secret=AUTH_SECRET,
        )


@pytest.fixture
def sign_up(addresses: Addresses) -> Iterator[Callable[[], User]]:
    """Makes accounts, each with a client that carries its token."""
    clients: list[httpx.Client] = []

    def make() -> User:
        api = httpx.Client(base_url=addresses.backend, timeout=30, trust_env=False)
        clients.append(api)
        credentials = {"email": f"{uuid4()}@example.org", "password": uuid4().hex}
        response = api.post("/api/auth/sign-up", json=credentials)
        assert response.status_code == 201, response.text
        api.headers["Authorization"] = f"Bearer {response.json()['token']}"
        return User(response.json()["user"]["id"], api)

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def user(sign_up: Callable[[], User]) -> User:
    return sign_up()
