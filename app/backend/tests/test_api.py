import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import jwt
import pytest
from fastapi.testclient import TestClient

from testing.postgres import find_free_port
from todo_backend.logs import JsonFormatter, is_worth_logging
from todo_backend.main import create_app
from todo_backend.settings import Settings, read_settings

SECRET = "only-for-tests-only-for-tests-only-for-tests"
PASSWORD = "a good password"


def make_settings(database_url: str) -> Settings:
    return read_settings(
        {"DATABASE_URL": database_url, "AUTH_SECRET": SECRET, "CORS_ORIGINS": "http://todo.test"}
    )


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[TestClient]:
    with TestClient(create_app(make_settings(database_url))) as client:
        yield client


@pytest.fixture
def sign_up(api: TestClient) -> Callable[[], dict[str, str]]:
    def make() -> dict[str, str]:
        credentials = {"email": f"{uuid4()}@example.org", "password": PASSWORD}
        token = api.post("/api/auth/sign-up", json=credentials).json()["token"]
        return {"Authorization": f"Bearer {token}"}

    return make


def add(api: TestClient, user: dict[str, str], title: str = "buy milk") -> dict:
    response = api.post("/api/tasks", json={"title": title}, headers=user)
    assert response.status_code == 201, response.text
    return response.json()


def set_agent(api: TestClient, answer: Callable[[httpx.Request], httpx.Response]) -> None:
    transport = httpx.MockTransport(answer)
    api.app.state.agent = httpx.AsyncClient(base_url="http://agent.test", transport=transport)


def test_an_account_signs_up_once_and_signs_in(api):
    credentials = {"email": f" Ada-{uuid4()}@Example.org ", "password": PASSWORD}
    signed_up = api.post("/api/auth/sign-up", json=credentials)
    assert signed_up.status_code == 201
    assert signed_up.json()["user"]["email"] == credentials["email"].strip().lower()
    assert api.post("/api/auth/sign-up", json=credentials).status_code == 409
    signed_in = api.post("/api/auth/sign-in", json=credentials)
    assert signed_in.status_code == 200
    claims = jwt.decode(signed_in.json()["token"], SECRET, algorithms=["HS256"])
    assert claims["sub"] == signed_in.json()["user"]["id"]


@pytest.mark.parametrize(
    "credentials",
    [{"email": "nobody", "password": PASSWORD}, {"email": "a@b.cd", "password": "short"}, {}],
)
def test_credentials_that_cannot_be_are_refused(api, credentials):
    response = api.post("/api/auth/sign-up", json=credentials)
    assert response.status_code == 422


def test_a_wrong_password_and_an_unknown_account_look_the_same(api):
    email = f"{uuid4()}@example.org"
    api.post("/api/auth/sign-up", json={"email": email, "password": PASSWORD})
    wrong = api.post("/api/auth/sign-in", json={"email": email, "password": "another password"})
    unknown = api.post("/api/auth/sign-in", json={"email": f"x{email}", "password": PASSWORD})
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.json() == unknown.json()


def sign(secret: str = SECRET, algorithm: str = "HS256", **claims) -> str:
    whole = {"sub": str(uuid4()), "exp": datetime.now(UTC) + timedelta(minutes=5), **claims}
    return jwt.encode({k: v for k, v in whole.items() if v is not None}, secret, algorithm=algorithm)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(None, id="none"),
        pytest.param("rubbish", id="rubbish"),
        pytest.param(sign(secret="another secret that is long enough"), id="signed by another"),
        pytest.param(sign(secret="", algorithm="none"), id="not signed"),
        pytest.param(sign(exp=datetime.now(UTC) - timedelta(minutes=1)), id="expired"),
        pytest.param(sign(exp=None), id="without an end"),
        pytest.param(sign(sub="ada"), id="not for a user of ours"),
    ],
)
@pytest.mark.parametrize("path", ["/api/tasks", "/api/conversations"])
def test_without_a_good_token_nothing_is_told(api, path, token):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = api.get(path, headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_a_task_is_added_read_changed_completed_and_deleted(api, sign_up):
    user = sign_up()
    task = add(api, user)
    path = f"/api/tasks/{task['id']}"
    assert task["completed"] is False
    changed = api.put(path, json={"title": " buy bread ", "description": "two"}, headers=user).json()
    assert (changed["title"], changed["description"], changed["completed"]) == ("buy bread", "two", False)
    assert api.patch(f"{path}/complete", headers=user).json()["completed"] is True
    assert api.get(path, headers=user).json()["completed"] is True
    assert api.patch(f"{path}/complete", json={"completed": False}, headers=user).json()["completed"] is False
    assert api.delete(path, headers=user).status_code == 204
    assert api.get(path, headers=user).status_code == 404
    assert api.delete(path, headers=user).status_code == 404


def test_tasks_are_listed_by_status(api, sign_up):
    user = sign_up()
    done = add(api, user, "done")["id"]
    add(api, user, "open")
    api.patch(f"/api/tasks/{done}/complete", headers=user)

    def titles(query: str) -> list[str]:
        return [task["title"] for task in api.get(f"/api/tasks{query}", headers=user).json()]

    assert titles("") == ["open", "done"]
    assert titles("?status=pending") == ["open"]
    assert titles("?status=completed") == ["done"]
    assert api.get("/api/tasks?status=some", headers=user).status_code == 422


def test_another_user_sees_and_changes_nothing(api, sign_up):
    path = f"/api/tasks/{add(api, sign_up())['id']}"
    other = sign_up()
    assert api.get("/api/tasks", headers=other).json() == []
    assert api.get(path, headers=other).status_code == 404
    assert api.put(path, json={"title": "mine"}, headers=other).status_code == 404
    assert api.patch(f"{path}/complete", headers=other).status_code == 404
    assert api.delete(path, headers=other).status_code == 404


@pytest.mark.parametrize("title", ["", "   ", "x" * 201])
def test_a_title_that_cannot_be_is_refused(api, sign_up, title):
    assert api.post("/api/tasks", json={"title": title}, headers=sign_up()).status_code == 422


def test_sql_in_a_title_stays_a_title(api, sign_up):
    user = sign_up()
    title = "'); DROP TABLE tasks; --"
    assert api.get(f"/api/tasks/{add(api, user, title)['id']}", headers=user).json()["title"] == title


def test_a_chat_is_kept_and_its_history_goes_to_the_agent(api, sign_up):
    user, asked = sign_up(), []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        calls = [{"name": "add_task", "arguments": {"title": "buy milk"}}]
        return httpx.Response(200, json={"reply": "I added it.", "tool_calls": calls})

    set_agent(api, answer)
    first = api.post("/api/chat", json={"message": "add buy milk"}, headers=user).json()
    assert first["reply"] == "I added it."
    assert first["tool_calls"][0]["name"] == "add_task"
    follow_up = {"message": "thanks", "conversation_id": first["conversation_id"]}
    assert api.post("/api/chat", json=follow_up, headers=user).status_code == 200
    assert [message["content"] for message in asked[1]["history"]] == ["add buy milk", "I added it."]

    path = f"/api/conversations/{first['conversation_id']}/messages"
    kept = api.get(path, headers=user).json()
    assert [message["role"] for message in kept] == ["user", "assistant"] * 2
    assert kept[1]["tool_calls"] == first["tool_calls"]
    assert [c["title"] for c in api.get("/api/conversations", headers=user).json()] == ["add buy milk"]

    other = sign_up()
    assert api.get(path, headers=other).status_code == 404
    assert api.post("/api/chat", json=follow_up, headers=other).status_code == 404
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        (httpx.ConnectError("refused"), 502),
        (httpx.ReadTimeout("late"), 504),
        (httpx.Response(502, json={"detail": "The model does not answer."}), 502),
        (httpx.Response(200, text="no json"), 502),
    ],
)
def test_an_agent_in_trouble_is_told_in_words_and_nothing_is_kept(api, sign_up, trouble, status):
    def answer(request: httpx.Request) -> httpx.Response:
        if isinstance(trouble, Exception):
            raise trouble
        return trouble

    set_agent(api, answer)
    user = sign_up()
    response = api.post("/api/chat", json={"message": "hello"}, headers=user)
    assert response.status_code == status
    assert "The assistant" in response.json()["detail"]
    assert api.get("/api/conversations", headers=user).json() == []


def test_only_named_origins_get_cors_headers(api):
    def ask(origin: str) -> httpx.Response:
        return api.get("/health", headers={"Origin": origin})

    assert ask("http://todo.test").headers["access-control-allow-origin"] == "http://todo.test"
    assert "access-control-allow-origin" not in ask("http://other.test").headers


def test_it_is_ready_with_its_database(api):
    assert api.get("/health").json() == {"status": "ok"}
    assert api.get("/ready").json() == {"status": "ok", "database": "ok"}


def test_without_a_database_it_lives_and_says_so():
    settings = make_settings(f"postgresql://todo:todo@127.0.0.1:{find_free_port()}/todo")
    with TestClient(create_app(settings)) as api:
        assert api.get("/health").status_code == 200
        assert api.get("/ready").status_code == 503
        response = api.post("/api/auth/sign-in", json={"email": "a@b.cd", "password": PASSWORD})
        assert response.status_code == 503
        assert "The database does not answer" in response.json()["detail"]


def test_a_log_line_is_json_without_the_query():
    arguments = ("10.0.0.1:1", "GET", "/api/tasks?token=hidden", "1.1", 200)
    record = logging.makeLogRecord({"name": "uvicorn.access", "msg": "%s %s %s %s %s", "args": arguments})
    entry = json.loads(JsonFormatter().format(record))
    assert (entry["path"], entry["status"], entry["service"]) == ("/api/tasks", 200, "backend")
    assert "hidden" not in json.dumps(entry)
    probe = logging.makeLogRecord({"name": "uvicorn.access", "args": ("", "GET", "/ready", "1.1", 200)})
    assert not is_worth_logging(probe)
