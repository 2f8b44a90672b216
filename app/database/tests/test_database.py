import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from testing.postgres import DATABASE, Postgres, find_free_port, migrate


@pytest.fixture
def server() -> Iterator[Postgres]:
    server = Postgres().start()
    yield server
    server.remove()


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    copy = tmp_path / "migrations"
    shutil.copytree(DATABASE / "migrations", copy)
    return copy


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


def test_migrations_are_applied_once(server):
    first, second = migrate(server.url), migrate(server.url)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "applying V001__accounts_and_tasks.sql" in first.stdout
    assert "applying" not in second.stdout
    assert "the database is at version 2" in second.stdout


def test_runs_at_the_same_time_do_not_disturb_each_other(server):
    with ThreadPoolExecutor() as threads:
        runs = list(threads.map(lambda _: migrate(server.url), range(4)))
    assert [run.returncode for run in runs] == [0, 0, 0, 0], [run.stderr for run in runs]
    assert sum("applying V001" in run.stdout for run in runs) == 1


def test_an_edited_migration_is_refused(server, migrations):
    migrate(server.url)
    with (migrations / "V001__accounts_and_tasks.sql").open("a") as file:
        file.write("-- another word\n")
    run = migrate(server.url, MIGRATIONS_DIR=str(migrations))
    assert run.returncode == 1
    assert "V001__accounts_and_tasks.sql was edited after it was applied" in run.stderr


def test_a_migration_that_fails_leaves_nothing(server, migrations):
    (migrations / "V003__good.sql").write_text("CREATE TABLE good (id int);")
    (migrations / "V004__bad.sql").write_text("CREATE TABLE bad (id no_such_type);")
    run = migrate(server.url, MIGRATIONS_DIR=str(migrations))
    assert run.returncode == 1
    assert "nothing was changed" in run.stderr
    assert ask(server.url, "SELECT to_regclass('good') IS NULL AND to_regclass('schema_migrations') IS NULL")


def test_a_late_number_is_refused_and_a_newer_database_is_left_alone(server, migrations):
    (migrations / "V009__later.sql").write_text("CREATE TABLE later (id int);")
    assert migrate(server.url, MIGRATIONS_DIR=str(migrations)).returncode == 0
    older = migrate(server.url)
    assert older.returncode == 0
    assert "the database is ahead by 1 migration(s)" in older.stdout
    (migrations / "V008__late.sql").write_text("CREATE TABLE late (id int);")
    late = migrate(server.url, MIGRATIONS_DIR=str(migrations))
    assert late.returncode == 1
    assert "give it the next free number" in late.stderr


def test_a_wrong_password_is_told_at_once_and_not_shown(server):
    run = migrate(server.url.replace("only-for-tests", "wrong-secret"))
    assert run.returncode == 1
    assert "password authentication failed" in run.stderr
    assert "wrong-secret" not in run.stdout + run.stderr


def test_a_database_that_is_not_there_is_waited_for_and_given_up():
    url = f"postgresql://todo:todo@127.0.0.1:{find_free_port()}/todo"
    run = migrate(url, MIGRATE_WAIT_SECONDS="2")
    assert run.returncode == 1
    assert "did not answer within 2 seconds" in run.stderr


@pytest.mark.parametrize("url", ["", "mysql://somewhere/todo"])
def test_a_bad_address_is_refused(url):
    run = migrate(url)
    assert run.returncode == 1
    assert "DATABASE_URL" in run.stderr


def test_a_bad_name_is_refused(migrations):
    (migrations / "2-more.sql").write_text("SELECT 1;")
    run = migrate("postgresql://todo@127.0.0.1:1/todo", MIGRATIONS_DIR=str(migrations))
    assert run.returncode == 1
    assert "2-more.sql is not a name for a migration" in run.stderr
