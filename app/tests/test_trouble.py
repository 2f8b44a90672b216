"""What happens when a part is not there: with processes of our own, because these tests stop them."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from testing.postgres import Postgres, migrate
from testing.processes import AUTH_SECRET, Service, Stack, wait_for

PASSWORD = "a good password"


class SlowServer(ThreadingHTTPServer):
    def __init__(self, *address: Any) -> None:
        super().__init__(*address)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.arrived, self.go_on = threading.Event(), threading.Event()


class SlowHandler(BaseHTTPRequestHandler):
    server: SlowServer

    def do_POST(self) -> None:
        self.server.arrived.set()
        self.server.go_on.wait(timeout=25)
        body = b'{"reply": "late but here", "tool_calls": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def database():
    server = Postgres().start()
    assert migrate(server.url).returncode == 0
    yield server
    server.remove()


@pytest.fixture(scope="module")
def stack(database):
    with Stack(database.url) as stack:
        yield stack


def test_only_the_backend_and_the_mcp_server_know_the_database(stack):
    knowing = {service.name for service in stack.services if "DATABASE_URL" in service.env}
    assert knowing == {"backend", "mcp-server"}


def test_a_database_that_was_away_is_found_again(stack, database):
    users = (stack.backend, stack.mcp)
    wait_for(lambda: all(service.get_status("/ready") == 200 for service in users), 30, "being ready")
    database.stop()
    wait_for(lambda: all(service.get_status("/ready") == 503 for service in users), 30, "noticing")
    assert [service.get_status("/health") for service in users] == [200, 200]
    database.start()
    wait_for(lambda: all(service.get_status("/ready") == 200 for service in users), 60, "coming back")
    answer = httpx.post(
        f"{stack.backend.url}/api/auth/sign-up",
        json={"email": "ada@example.org", "password": PASSWORD},
        timeout=30,
        trust_env=False,
    )
    assert answer.status_code == 201


def test_a_chat_without_its_model_says_so_and_without_its_agent_tasks_still_work(stack):
    credentials = {"email": "bob@example.org", "password": PASSWORD}
    with httpx.Client(base_url=stack.backend.url, timeout=60, trust_env=False) as api:
        token = api.post("/api/auth/sign-up", json=credentials).json()["token"]
        api.headers["Authorization"] = f"Bearer {token}"
        stack.model.stop()
        response = api.post("/api/chat", json={"message": "list my tasks"})
        assert response.status_code == 502
        assert "The assistant cannot answer" in response.json()["detail"]
        assert "The model does not answer" in stack.agent.read_log()
        stack.model.start()
        stack.agent.stop()
        assert api.post("/api/chat", json={"message": "list my tasks"}).status_code == 502
        assert api.post("/api/tasks", json={"title": "buy milk"}).status_code == 201
        stack.agent.start()
        assert api.post("/api/chat", json={"message": "list my tasks"}).status_code == 200


@pytest.fixture
def slow():
    """A server that answers when it is let: for a request that is under way as long as we want."""
    server = SlowServer(("127.0.0.1", 0), SlowHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.go_on.set()
    server.shutdown()
    server.server_close()


def stop_in_the_middle(service: Service, slow: SlowServer, ask) -> tuple[httpx.Response, int]:
    """Stops the service while it waits for the slow server; returns its answer and its exit status."""
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(ask)
        assert slow.arrived.wait(timeout=20)
        stopped = threads.submit(service.stop)
        wait_for(lambda: not service.is_listening(), 20, "closing the door")
        slow.go_on.set()
        return asked.result(timeout=30), stopped.result(timeout=30)


def test_a_backend_that_is_stopped_ends_the_request_under_way(database, slow):
    env = {"DATABASE_URL": database.url, "AUTH_SECRET": AUTH_SECRET, "AI_AGENT_URL": slow.url}
    service = Service("backend", [sys.executable, "-m", "gunicorn"], env)
    service.start()
    with httpx.Client(base_url=service.url, timeout=30, trust_env=False) as api:
        credentials = {"email": "eve@example.org", "password": PASSWORD}
        token = api.post("/api/auth/sign-up", json=credentials).json()["token"]
        api.headers["Authorization"] = f"Bearer {token}"
        answer, status = stop_in_the_middle(
            service, slow, lambda: api.post("/api/chat", json={"message": "hello"})
        )
    assert (answer.json()["reply"], status) == ("late but here", 0)


def test_a_frontend_that_is_stopped_ends_the_request_under_way(stack, slow):
    if stack.frontend is None:
        pytest.skip("the frontend is not built")
    env = {**stack.frontend.env, "BACKEND_URL": slow.url}
    service = Service("frontend", stack.frontend.command, env, "/api/health")
    service.start()
    with httpx.Client(base_url=service.url, timeout=30, trust_env=False) as browser:
        browser.cookies.set("todo_session", "a.b.c")
        answer, status = stop_in_the_middle(
            service, slow, lambda: browser.post("/api/chat", json={"message": "hello"})
        )
    # Next.js ends with the number of the signal, as a shell would report it.
    assert (answer.json()["reply"], status) == ("late but here", 143)


def test_no_secret_is_in_a_log(stack, database):
    for service in stack.services:
        log = service.read_log()
        for secret in (AUTH_SECRET, PASSWORD, "only-for-tests", "eyJ"):
            assert secret not in log, f"{service.name} tells a secret"


@pytest.mark.parametrize("name", ["backend", "mcp", "agent"])
def test_a_missing_setting_ends_the_start_with_one_sentence(stack, name):
    given = getattr(stack, name)
    service = Service(given.name, given.command, {"LOG_LEVEL": "info"})
    with pytest.raises(RuntimeError, match="is not set: set it, or let"):
        service.start()
    assert "Traceback" not in service.read_log()
    service.stop()
