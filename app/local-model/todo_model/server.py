"""The HTTP side: the part of the OpenAI API that the agent uses."""

import json
import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .model import answer

MODEL = "todo-local"
LARGEST_REQUEST = 1024 * 1024


class RequestError(Exception):
    """What is wrong with a request, and the status that says so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Handler(BaseHTTPRequestHandler):
    server_version = "todo-local-model"
    # One request a connection (HTTP/1.0), and none that stays silent: a stop waits for all of them.
    timeout = 10

    def do_GET(self) -> None:
        if self.path == "/health":
            self.reply(200, {"status": "ok"})
        elif self.path == "/v1/models":
            model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "todo"}
            self.reply(200, {"object": "list", "data": [model]})
        else:
            self.refuse(RequestError(404, f"There is nothing at {self.path}."))

    def do_POST(self) -> None:
        try:
            request = self.read_request()
            if self.path != "/v1/chat/completions":
                raise RequestError(404, f"There is nothing at {self.path}.")
            check_request(request)
            self.reply(200, answer(request))
        except RequestError as error:
            self.refuse(error)

    def read_request(self) -> Any:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_REQUEST:
            raise RequestError(413, f"Send a body of at most {LARGEST_REQUEST} bytes and its length.")
        try:
            return json.loads(self.rfile.read(int(length)))
        except ValueError as error:
            raise RequestError(400, "The body is not JSON.") from error

    def refuse(self, error: RequestError) -> None:
        body = {"message": str(error), "type": "invalid_request_error", "param": None, "code": None}
        self.reply(error.status, {"error": body})

    def reply(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        if self.path != "/health":
            log("info", f"{self.command} {self.path} {int(code)}")

    def log_message(self, format: str, *values: Any) -> None:
        log("warning", format % values)


class Server(ThreadingHTTPServer):
    # Requests under way are finished before the process ends.
    daemon_threads = False


def check_request(request: Any) -> None:
    """Throws when the request is not one that this model can answer."""
    if not isinstance(request, dict) or not isinstance(request.get("model"), str):
        raise RequestError(400, "The request needs a model.")
    messages = request.get("messages")
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise RequestError(400, "The request needs a list of messages.")
    if request.get("stream"):
        raise RequestError(400, "This model does not stream; leave stream out.")
    for tool in request.get("tools") or []:
        if not isinstance(tool, dict) or not isinstance(tool.get("function"), dict):
            raise RequestError(400, "Only tools of type function are known here.")
        if not isinstance(tool["function"].get("name"), str):
            raise RequestError(400, "A tool needs a name.")


def log(level: str, message: str) -> None:
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    entry = {"time": time, "level": level, "service": "local-model", "message": message}
    print(json.dumps(entry), file=sys.stdout, flush=True)
