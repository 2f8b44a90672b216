"""The services as plain processes on free ports of this machine, each told only what it may know."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx

from .postgres import find_free_port

APP = Path(__file__).parent.parent
FRONTEND_SERVER = ".next/standalone/server.js"
START_SECONDS = 60
AUTH_SECRET = "only-for-tests-only-for-tests-only-for-tests"


def wait_for(is_true: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} took longer than {seconds} seconds")
        time.sleep(0.1)


class Service:
    def __init__(self, name: str, command: list[str], env: dict[str, str], health: str = "/health") -> None:
        self.name = name
        self.health = health
        self.port = find_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.command = command
        # Nothing of our own environment: what a service needs, it must be given.
        self.env = {"PATH": os.environ["PATH"], "HOST": "127.0.0.1", **env, "PORT": str(self.port)}
        self.log = tempfile.TemporaryFile(prefix=f"todo-{name}-")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, cwd=APP / self.name, env=self.env, stdout=self.log, stderr=self.log
        )
        wait_for(self.is_alive, START_SECONDS, f"the start of {self.name}")

    def is_alive(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended:\n{self.read_log()}")
        return self.get_status(self.health) == 200

    def get_status(self, path: str) -> int:
        try:
            return httpx.get(self.url + path, timeout=5, trust_env=False).status_code
        except httpx.HTTPError:
            return 0

    def is_listening(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def read_log(self) -> str:
        self.log.seek(0)
        return self.log.read().decode()

    def stop(self) -> int:
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            status = self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait(timeout=5)
        self.process = None
        return status


class Stack:
    """Model, MCP server, agent, backend and frontend, in the order in which they need each other."""

    def __init__(self, database_url: str) -> None:
        python = sys.executable
        self.model = Service("local-model", [python, "-m", "todo_model"], {})
        self.mcp = Service("mcp-server", [python, "-m", "todo_mcp"], {"DATABASE_URL": database_url})
        self.agent = Service(
            "ai-agent",
            [python, "-m", "todo_agent"],
            {
                "MCP_SERVER_URL": f"{self.mcp.url}/mcp",
                "OPENAI_BASE_URL": f"{self.model.url}/v1",
                "OPENAI_API_KEY": "only-for-tests",
                "OPENAI_MODEL": "todo-local",
            },
        )
        self.backend = Service(
            "backend",
            [python, "-m", "gunicorn"],
            {"DATABASE_URL": database_url, "AUTH_SECRET": AUTH_SECRET, "AI_AGENT_URL": self.agent.url},
        )
        self.services = [self.model, self.mcp, self.agent, self.backend]
        self.frontend: Service | None = None
        # The one part that has to be built before it can run; test.sh does, a quick run need not.
        if (APP / "frontend" / FRONTEND_SERVER).exists():
            env = {"BACKEND_URL": self.backend.url, "HOSTNAME": "127.0.0.1"}
            self.frontend = Service("frontend", ["node", FRONTEND_SERVER], env, "/api/health")
            self.services.append(self.frontend)

    def __enter__(self) -> "Stack":
        with ExitStack() as started:
            for service in self.services:
                started.callback(service.stop)
                service.start()
            self.started = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.started.close()
