import os
import shutil
import subprocess
from collections.abc import Iterator

import psycopg
import pytest

from testing.postgres import DATABASE, Postgres, migrate


@pytest.fixture
def server() -> Iterator[Postgres]:
    server = Postgres().start()
    yield server
    server.remove()


def ask(url: str, query: str):
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchone()[0]


def test_the_init_scripts_have_run_and_the_data_survives_a_restart(server):
    assert ask(server.url, "SHOW timezone") == "UTC"
    assert ask(server.url, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'todo'") == "todo"
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    server.stop()
    # As a volume looks after Kubernetes has opened it to the group of a pod.
    (server.home / "pgdata").chmod(0o2770)
    server.start()
    assert ask(server.url, "SELECT one FROM kept") == 1
    assert server.log.read_text().count("making a data directory") == 1


def test_a_first_start_that_was_killed_is_begun_again():
    server = Postgres()
    half_done = server.home / "pgdata.new"
    half_done.mkdir()
    (half_done / "PG_VERSION").write_text("15\n")
    if server.owner:
        for path in (half_done, half_done / "PG_VERSION"):
            os.chown(path, server.owner["user"], server.owner["group"])
    try:
        assert ask(server.start().url, "SELECT 1") == 1
        assert not half_done.exists()
    finally:
        server.remove()


def test_passwords_are_asked_for_and_kept_as_scram(server):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url.replace("only-for-tests", "other"))
    assert ask(server.url, "SELECT rolpassword LIKE 'SCRAM-SHA-256%' FROM pg_authid WHERE rolname = 'todo'")
    run = server.home / "run"
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(host=str(run), port=server.port, user="todo", dbname="todo")


def test_without_a_password_the_first_start_is_refused(tmp_path):
    env = {"PATH": os.environ["PATH"], "PGDATA": str(tmp_path / "pgdata")}
    run = subprocess.run(
        [str(DATABASE / "entrypoint.sh")], env=env, capture_output=True, text=True, timeout=20, check=False
    )
    assert run.returncode == 1
    assert "POSTGRES_PASSWORD is not set" in run.stderr


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_with_a_certificate_only_tls_is_taken(tmp_path):
    server = Postgres()
    certificate, key = server.home / "tls.crt", server.home / "tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
        + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
        timeout=30,
    )
    # As a mounted secret: others may read it, which PostgreSQL by itself would refuse.
    key.chmod(0o644)
    server.settings = {"TLS_CERT_FILE": str(certificate), "TLS_KEY_FILE": str(key)}
    try:
        server.start()
        strict = f"{server.url}?sslmode=verify-full&sslrootcert={certificate}"
        assert ask(strict, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        with pytest.raises(psycopg.OperationalError, match="no encryption"):
            psycopg.connect(f"{server.url}?sslmode=disable")
        assert migrate(strict).returncode == 0
    finally:
        server.remove()
