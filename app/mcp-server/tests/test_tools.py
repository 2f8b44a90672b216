from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from starlette.testclient import TestClient

from testing.postgres import find_free_port
from todo_mcp.main import create_app
from todo_mcp.environment import SettingError
from todo_mcp.settings import read_settings

HEADERS = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}


@pytest.fixture(scope="module")
def server(database_url: str) -> Iterator[TestClient]:
    with TestClient(create_app(read_settings({"DATABASE_URL": database_url}))) as client:
        yield client


@pytest.fixture
def user(database_url: str) -> str:
    with psycopg.connect(database_url) as connection:
        query = "INSERT INTO users (email, password_hash) VALUES (%s, '') RETURNING id"
        return str(connection.execute(query, (f"{uuid4()}@example.org",)).fetchone()[0])


def send(server: TestClient, method: str, params: dict, user: str | None = None) -> dict:
    headers = {**HEADERS, "X-User-Id": user} if user else HEADERS
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    response = server.post("/mcp", json=message, headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/json"
    return response.json()["result"]


def call(server: TestClient, user: str | None, name: str, **arguments) -> dict:
    result = send(server, "tools/call", {"name": name, "arguments": arguments}, user)
    assert not result.get("isError"), result
    return result["structuredContent"]


def fail(server: TestClient, user: str | None, name: str, **arguments) -> str:
    result = send(server, "tools/call", {"name": name, "arguments": arguments}, user)
    assert result.get("isError"), result
    return result["content"][0]["text"]


def test_the_five_tools_are_listed_and_none_of_them_takes_a_user(server):
    tools = {tool["name"]: tool for tool in send(server, "tools/list", {})["tools"]}
    assert set(tools) == {"add_task", "list_tasks", "complete_task", "update_task", "delete_task"}
    arguments = {name: set(tool["inputSchema"]["properties"]) for name, tool in tools.items()}
    assert arguments == {
        "add_task": {"title", "description"},
        "list_tasks": {"status"},
        "complete_task": {"task_id"},
        "update_task": {"task_id", "title", "description"},
        "delete_task": {"task_id"},
    }
    assert all(tool["description"] for tool in tools.values())


def test_a_task_goes_through_all_tools(server, user):
    task = call(server, user, "add_task", title=" buy milk ", description="two litres")["task"]
    assert (task["title"], task["description"], task["completed"]) == ("buy milk", "two litres", False)
    renamed = call(server, user, "update_task", task_id=task["id"], title="buy bread")["task"]
    assert (renamed["title"], renamed["description"]) == ("buy bread", "two litres")
    assert call(server, user, "complete_task", task_id=task["id"])["task"]["completed"] is True
    assert call(server, user, "list_tasks", status="pending") == {"tasks": []}
    assert [t["id"] for t in call(server, user, "list_tasks")["tasks"]] == [task["id"]]
    call(server, user, "delete_task", task_id=task["id"])
    assert call(server, user, "list_tasks") == {"tasks": []}


def test_another_user_reaches_nothing(server, user, database_url):
    task = call(server, user, "add_task", title="mine")["task"]["id"]
    with psycopg.connect(database_url) as connection:
        query = "INSERT INTO users (email, password_hash) VALUES (%s, '') RETURNING id"
        other = str(connection.execute(query, (f"{uuid4()}@example.org",)).fetchone()[0])
    assert call(server, other, "list_tasks") == {"tasks": []}
    for name in ("complete_task", "delete_task"):
        assert f"There is no task {task}." in fail(server, other, name, task_id=task)
    assert "There is no task" in fail(server, other, "update_task", task_id=task, title="x")


@pytest.mark.parametrize("value", [None, "ada", "1; DROP TABLE tasks"])
def test_without_a_user_in_the_header_no_tool_works(server, value):
    assert "X-User-Id" in fail(server, value, "list_tasks")
    assert "X-User-Id" in fail(server, value, "add_task", title="buy milk")


def test_a_user_among_the_arguments_changes_nothing(server, user):
    call(server, user, "add_task", title="mine", user_id=str(uuid4()))
    assert len(call(server, user, "list_tasks")["tasks"]) == 1


def test_an_unknown_user_is_told(server):
    assert "There is no user" in fail(server, str(uuid4()), "add_task", title="buy milk")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("add_task", {"title": " "}),
        ("add_task", {"title": "x" * 201}),
        ("add_task", {}),
        ("update_task", {"task_id": 1}),
        ("complete_task", {"task_id": 0}),
        ("list_tasks", {"status": "some"}),
        ("no_such_tool", {}),
    ],
)
def test_arguments_that_cannot_be_are_a_tool_error(server, user, name, arguments):
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
    answer = server.post("/mcp", json=message, headers={**HEADERS, "X-User-Id": user}).json()
    assert answer.get("error") or answer["result"]["isError"]


def test_it_is_ready_with_its_database(server):
    assert server.get("/health").json() == {"status": "ok"}
    assert server.get("/ready").json() == {"status": "ok", "database": "ok"}


def test_without_a_database_it_lives_and_says_so():
    url = f"postgresql://todo:todo@127.0.0.1:{find_free_port()}/todo"
    with TestClient(create_app(read_settings({"DATABASE_URL": url}))) as server:
        assert server.get("/health").status_code == 200
        assert server.get("/ready").json() == {"status": "unavailable", "database": "unreachable"}
        assert "The database does not answer" in fail(server, str(uuid4()), "list_tasks")


def test_a_missing_setting_is_named():
    with pytest.raises(SettingError, match="DATABASE_URL is not set"):
        read_settings({})
