"""The whole stack at work, over its addresses only: the same tests for processes and for a cluster."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import jwt
import psycopg
import pytest

ACCEPT = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18"}


def say(user, message: str, conversation: str | None = None) -> dict:
    question = {"message": message, "conversation_id": conversation}
    response = user.api.post("/api/chat", json=question, timeout=90)
    assert response.status_code == 200, response.text
    return response.json()


def titles(user, status: str = "all") -> list[str]:
    return [task["title"] for task in user.api.get("/api/tasks", params={"status": status}).json()]


def call_mcp(url: str, user_id: str, method: str, **params) -> dict:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    headers = {**ACCEPT, "X-User-Id": user_id}
    response = httpx.post(f"{url}/mcp", json=message, headers=headers, timeout=30, trust_env=False)
    assert response.status_code == 200, response.text
    return response.json()["result"]


def run_tool(url: str, user_id: str, name: str, **arguments) -> dict:
    result = call_mcp(url, user_id, "tools/call", name=name, arguments=arguments)
    assert not result.get("isError"), result
    return result["structuredContent"]


@pytest.mark.parametrize("service", ["backend", "mcp", "agent"])
@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_a_service_is_live_and_ready(addresses, service, path):
    response = httpx.get(addresses.need(service) + path, timeout=10, trust_env=False)
    assert (response.status_code, response.json()["status"]) == (200, "ok")


def test_nothing_is_told_without_a_token(addresses):
    assert httpx.get(f"{addresses.backend}/api/tasks", trust_env=False).status_code == 401


def test_a_token_with_a_wrong_signature_is_refused(addresses, user):
    soon = datetime.now(UTC) + timedelta(minutes=5)
    forged = jwt.encode({"sub": user.id, "exp": soon}, "a secret that is not the right one", "HS256")
    headers = {"Authorization": f"Bearer {forged}"}
    assert user.api.get("/api/tasks", headers=headers).status_code == 401


def test_a_token_past_its_end_is_refused(addresses, user):
    past = datetime.now(UTC) - timedelta(minutes=5)
    old = jwt.encode({"sub": user.id, "exp": past}, addresses.need("auth_secret"), "HS256")
    assert user.api.get("/api/tasks", headers={"Authorization": f"Bearer {old}"}).status_code == 401


def test_a_task_is_added_changed_completed_and_deleted(user):
    task = user.api.post("/api/tasks", json={"title": "buy milk"}).json()
    path = f"/api/tasks/{task['id']}"
    assert user.api.put(path, json={"title": "buy bread"}).json()["title"] == "buy bread"
    assert user.api.patch(f"{path}/complete").json()["completed"] is True
    assert titles(user, "completed") == ["buy bread"]
    assert user.api.delete(path).status_code == 204
    assert titles(user) == []


def test_another_user_cannot_see_it(user, sign_up):
    task = user.api.post("/api/tasks", json={"title": "mine"}).json()
    other = sign_up()
    assert titles(other) == []
    assert other.api.get(f"/api/tasks/{task['id']}").status_code == 404
    assert say(other, f"complete task {task['id']}")["reply"].startswith("That did not work")
    assert titles(user, "pending") == ["mine"]


def test_the_mcp_server_lists_its_tools(addresses, user):
    tools = call_mcp(addresses.need("mcp"), user.id, "tools/list")["tools"]
    names = {"add_task", "list_tasks", "complete_task", "update_task", "delete_task"}
    assert {tool["name"] for tool in tools} == names


def test_each_tool_does_its_work(addresses, user):
    mcp = addresses.need("mcp")
    task = run_tool(mcp, user.id, "add_task", title="buy milk")["task"]["id"]
    assert titles(user) == ["buy milk"]
    run_tool(mcp, user.id, "update_task", task_id=task, title="buy bread")
    run_tool(mcp, user.id, "complete_task", task_id=task)
    listed = run_tool(mcp, user.id, "list_tasks", status="completed")["tasks"]
    assert [(row["id"], row["title"]) for row in listed] == [(task, "buy bread")]
    run_tool(mcp, user.id, "delete_task", task_id=task)
    assert titles(user) == []


def test_a_chat_puts_a_row_into_the_database(addresses, user):
    answer = say(user, "add buy milk")
    assert answer["tool_calls"] == [{"name": "add_task", "arguments": {"title": "buy milk"}}]
    assert "buy milk" in answer["reply"]
    assert titles(user) == ["buy milk"]
    with psycopg.connect(addresses.need("database")) as connection:
        rows = connection.execute("SELECT title FROM tasks WHERE user_id = %s", (user.id,)).fetchall()
    assert rows == [("buy milk",)]


def test_a_chat_goes_on_and_is_kept(user):
    first = say(user, "add buy milk")
    conversation = first["conversation_id"]
    # By its title: the model has to list the tasks first, and then acts on the number it found.
    done = say(user, "complete buy milk", conversation)
    assert [call["name"] for call in done["tool_calls"]] == ["list_tasks", "complete_task"]
    assert titles(user, "completed") == ["buy milk"]
    task = done["tool_calls"][1]["arguments"]["task_id"]
    assert "buy bread" in say(user, f"rename task {task} to buy bread", conversation)["reply"]
    assert "buy bread" in say(user, "list my tasks", conversation)["reply"]
    say(user, f"delete task {task}", conversation)
    assert titles(user) == []
    messages = user.api.get(f"/api/conversations/{conversation}/messages").json()
    assert [message["role"] for message in messages] == ["user", "assistant"] * 5
    assert [row["id"] for row in user.api.get("/api/conversations").json()] == [conversation]


def test_the_frontend_keeps_the_token_from_the_browser(addresses):
    url = addresses.need("frontend")
    credentials = {"email": f"{uuid4()}@example.org", "password": uuid4().hex}
    with httpx.Client(base_url=url, timeout=90, trust_env=False) as browser:
        assert browser.get("/api/ready").json() == {"status": "ok", "backend": "ok"}
        assert browser.get("/api/tasks").status_code == 401
        signed_up = browser.post("/api/auth/sign-up", json=credentials)
        assert signed_up.status_code == 201, signed_up.text
        assert "token" not in signed_up.json()
        assert "httponly" in signed_up.headers["set-cookie"].lower()
        assert browser.post("/api/tasks", json={"title": "buy milk"}).status_code == 201
        assert "list" in browser.post("/api/chat", json={"message": "list my tasks"}).text
        assert "Todo" in browser.get("/").text
        assert browser.post("/api/auth/sign-out").status_code == 200
        assert browser.get("/api/tasks").status_code == 401
