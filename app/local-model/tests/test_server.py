import threading

import httpx
import pytest

from todo_model.server import Handler, Server


@pytest.fixture
def model():
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False) as client:
        yield client
    server.shutdown()
    server.server_close()


def test_it_is_healthy_and_names_its_model(model):
    assert model.get("/health").json() == {"status": "ok"}
    assert model.get("/v1/models").json()["data"][0]["id"] == "todo-local"


def test_it_completes_a_chat(model):
    question = {"model": "any", "messages": [{"role": "user", "content": "hello"}]}
    response = model.post("/v1/chat/completions", json=question)
    assert response.status_code == 200
    assert response.json()["object"] == "chat.completion"


@pytest.mark.parametrize(
    "question",
    [
        [],
        {"messages": []},
        {"model": "m", "messages": "hello"},
        {"model": "m", "messages": [], "stream": True},
        {"model": "m", "messages": [], "tools": ["add"]},
    ],
)
def test_a_request_it_cannot_answer_is_refused_with_a_reason(model, question):
    response = model.post("/v1/chat/completions", json=question)
    assert response.status_code == 400
    assert response.json()["error"]["message"]


def test_an_unknown_path_is_not_found(model):
    assert model.get("/").status_code == 404
    assert model.post("/v1/other", json={}).status_code == 404
