"""A throw-away PostgreSQL, started by the entrypoint of the database image and as an ordinary user."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

DATABASE = Path(__file__).parent.parent / "database"
START_SECONDS = 60
PASSWORD = "only-for-tests / ü%"


def find_free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def find_binaries() -> str:
    """Returns the folder of the newest PostgreSQL server that Debian's packages have installed."""
    servers = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if servers:
        return str(servers[-1].parent)
    on_path = shutil.which("initdb")
    if on_path is None:
        raise RuntimeError("There is no PostgreSQL server: install postgresql-15 or set TEST_DATABASE_URL.")
    return str(Path(on_path).parent)


class Postgres:
    def __init__(self, **settings: str) -> None:
        self.port = find_free_port()
        self.home = Path(tempfile.mkdtemp(prefix="todo-postgres-"))
        self.settings = settings
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.home / "log"
        # The user who runs the server may not be able to read the project's folder.
        shutil.copytree(DATABASE, self.home / "database")
        (self.home / "run").mkdir()
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self.owner: dict[str, Any] = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            for path in (self.home, *self.home.rglob("*")):
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        else:
            self.owner = {}

    @property
    def url(self) -> str:
        return f"postgresql://todo:only-for-tests%20%2F%20%C3%BC%25@127.0.0.1:{self.port}/todo"

    def start(self) -> "Postgres":
        env = {
            "PATH": f"{find_binaries()}:/usr/bin:/bin",
            "PGDATA": str(self.home / "pgdata"),
            "POSTGRES_PASSWORD": PASSWORD,
            "POSTGRES_RUN_DIR": str(self.home / "run"),
            "POSTGRES_INIT_DIR": str(self.home / "database" / "init-scripts"),
            "POSTGRES_LISTEN": "127.0.0.1",
            "POSTGRES_PORT": str(self.port),
            **self.settings,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.home / "database" / "entrypoint.sh")],
                env=env,
                cwd=self.home,
                stdout=log,
                stderr=log,
                **self.owner,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self.log.read_text()}")
            time.sleep(0.1)
        return self

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=5)
        self.process = None

    def remove(self) -> None:
        # As a crash: nobody will read what it would take its time to write.
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.home, ignore_errors=True)


def describe_migration(url: str, **settings: str) -> dict[str, str]:
    """The environment in which the migration script is run."""
    return {
        "PATH": f"{find_binaries()}:/usr/bin:/bin",
        "DATABASE_URL": url,
        "MIGRATE_DIR": str(DATABASE / "migrate"),
        "MIGRATIONS_DIR": str(DATABASE / "migrations"),
        **settings,
    }


def migrate(url: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs the real migration script and returns how it ended."""
    return subprocess.run(
        [str(DATABASE / "migrate.sh"), *arguments],
        env=describe_migration(url, **settings),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
