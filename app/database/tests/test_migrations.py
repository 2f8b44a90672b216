import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from testing.postgres import DATABASE, Postgres, describe_migration, find_free_port, migrate

EXPAND = "-- todo-deploy: expand\n"
CONTRACT = "-- todo-deploy: contract\n"
ALONE = EXPAND + "-- todo-deploy: no-transaction\n"
# What the first releases have recorded of these files, in a table that had four columns.
FIRST_CHECKSUMS = {
    "V001__accounts_and_tasks.sql": "0b6cbba91289e56b9993adfaada568fb089c97dcb79a42ce593f762386090969",
    "V002__conversations.sql": "10bd3f7492ce77ef89b8ed7eb4a7ce0a2b5b2ca8dc266c908c4763cf494992c6",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    server = Postgres().start()
    yield server
    server.remove()


@pytest.fixture
def url(server: Postgres) -> Iterator[str]:
    """The address of an empty database: emptied after each test, which is faster than a new one."""
    yield server.url
    do(
        server.url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        "DROP SCHEMA public CASCADE",
        "CREATE SCHEMA public",
    )


class Folder:
    """A copy of the migrations, to add to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, name: str, text: str) -> None:
        (self.path / name).write_text(text)

    def apply(self, url: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return migrate(url, *arguments, MIGRATIONS_DIR=str(self.path), **settings)

    @contextmanager
    def apply_in_background(self, url: str, **settings: str) -> Iterator["subprocess.Popen[str]"]:
        # What a killed run leaves is to be found here, and nowhere else.
        settings = {"TMPDIR": str(self.path.parent), **settings}
        env = describe_migration(url, MIGRATIONS_DIR=str(self.path), **settings)
        run = subprocess.Popen(
            [str(DATABASE / "migrate.sh")],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield run
        finally:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
            run.communicate(timeout=30)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    copy = tmp_path / "migrations"
    shutil.copytree(DATABASE / "migrations", copy)
    return Folder(copy)


def ask(url: str, query: str):
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchone()[0]


def do(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def wait_until(is_true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < deadline, f"{what} took longer than 20 seconds"
        time.sleep(0.05)


def is_sleeping(url: str) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
    return ask(url, query) > 0


def applied(url: str) -> str:
    query = "SELECT string_agg(name, ' ' ORDER BY version, subversion) FROM schema_migrations"
    return ask(url, query)


# --- the ordinary way ---


def test_migrations_are_applied_once(url):
    first, second = migrate(url), migrate(url)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "applying V001__accounts_and_tasks.sql" in first.stdout
    assert "applying" not in second.stdout
    assert "the database is at version 2" in second.stdout


def test_what_was_applied_is_recorded_with_its_kind_duration_and_user(url, folder):
    folder.add("V003__less.sql", CONTRACT + "SELECT pg_sleep(0.2); DROP TABLE messages;")
    assert folder.apply(url).returncode == 0
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT version, kind, installed_by, duration_ms, finished_at >= applied_at, is_baseline"
            " FROM schema_migrations ORDER BY version"
        ).fetchall()
    assert [row[:3] for row in rows] == [(1, "expand", "todo"), (2, "expand", "todo"), (3, "contract", "todo")]
    assert 200 <= rows[2][3] < 5000
    assert all(row[4:] == (True, False) for row in rows)


def test_runs_at_the_same_time_take_turns(url, folder):
    folder.add("V003__slow.sql", EXPAND + "CREATE TABLE slow (id int); SELECT pg_sleep(1);")
    with ThreadPoolExecutor() as threads:
        runs = list(threads.map(lambda _: folder.apply(url), range(4)))
    assert [run.returncode for run in runs] == [0, 0, 0, 0], [run.stderr for run in runs]
    assert applied(url) == "V001__accounts_and_tasks.sql V002__conversations.sql V003__slow.sql"


def test_versions_are_compared_number_by_number_as_flyway_does(url, folder):
    folder.add("V2_10__tenth.sql", EXPAND + "CREATE TABLE tenth AS SELECT * FROM second;")
    folder.add("V2.2__second.sql", EXPAND + "CREATE TABLE second (id int);")
    folder.add("V20261121120000__by_date.sql", EXPAND + "CREATE TABLE by_date AS SELECT * FROM tenth;")
    run = folder.apply(url)
    assert run.returncode == 0, run.stderr
    assert applied(url).endswith("V2.2__second.sql V2_10__tenth.sql V20261121120000__by_date.sql")
    assert "the database is at version 20261121120000" in run.stdout
    assert "applying" not in folder.apply(url).stdout


def test_status_shows_where_every_migration_stands_and_changes_nothing(url, folder):
    fresh = folder.apply(url, "status")
    assert (fresh.returncode, fresh.stderr) == (0, "")
    assert "pending    expand      V001__accounts_and_tasks.sql" in fresh.stdout
    assert ask(url, "SELECT to_regclass('schema_migrations') IS NULL")
    folder.apply(url)
    folder.add("V003__more.sql", CONTRACT + "SELECT 1;")
    lines = folder.apply(url, "status").stdout.splitlines()
    assert lines[0].startswith("applied    expand      V001__accounts_and_tasks.sql  20")
    assert lines[0].endswith(" ms by todo")
    assert lines[2] == "pending    contract    V003__more.sql  "


# --- refusals ---


def test_an_edited_migration_is_refused_but_not_for_its_marks_or_line_ends(url, folder):
    folder.apply(url)
    file = folder.path / "V001__accounts_and_tasks.sql"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    run = folder.apply(url)
    assert run.returncode == 0, run.stderr
    file.write_text(file.read_text() + "-- another word\n")
    run = folder.apply(url)
    assert run.returncode == 1
    assert run.stderr.startswith("migrate: V001__accounts_and_tasks.sql was edited after it was applied")


def test_the_kind_of_an_applied_migration_cannot_be_changed(url, folder):
    folder.add("V003__more.sql", CONTRACT + "SELECT 1;")
    folder.apply(url)
    folder.add("V003__more.sql", EXPAND + "SELECT 1;")
    run = folder.apply(url)
    assert run.returncode == 1
    assert 'V003__more.sql was applied with the mark "contract"' in run.stderr


def test_a_missing_migration_is_refused(url, folder):
    folder.add("V003__more.sql", EXPAND + "SELECT 1;")
    folder.apply(url)
    (folder.path / "V002__conversations.sql").unlink()
    run = folder.apply(url)
    assert run.returncode == 1
    assert run.stderr.startswith("migrate: V002__conversations.sql was applied (20")
    assert "is not among the files; put it back" in run.stderr


def test_a_late_number_is_refused_and_a_newer_database_is_left_alone(url, folder):
    folder.add("V009__later.sql", CONTRACT + "CREATE TABLE later (id int);")
    assert folder.apply(url).returncode == 0
    older = migrate(url)
    assert older.returncode == 0
    assert "the database is ahead by 1 migration(s)" in older.stdout
    assert "warning: this release is older than what took something away from it: V009__later.sql" in older.stdout
    folder.add("V008__late.sql", EXPAND + "CREATE TABLE late (id int);")
    late = folder.apply(url)
    assert late.returncode == 1
    assert "give it the next free number" in late.stderr


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("2-more.sql", EXPAND, "2-more.sql is not a name for a migration"),
        ("U003__undo.sql", EXPAND, "U003__undo.sql would undo a migration. Migrations only go forward"),
        ("R__view.sql", EXPAND, "R__view.sql is repeatable, which is not supported"),
        ("V2_0__again.sql", EXPAND, "have the same version, 2:"),
        ("V003__more.sql", "SELECT 1;", "V003__more.sql is not marked. Add a line"),
        ("V003__more.sql", EXPAND + CONTRACT, "V003__more.sql is marked twice"),
        ("V003__more.sql", "-- todo-deploy: shrink\n", 'V003__more.sql has the mark "shrink"'),
        ("V003__more.sql", EXPAND + "SELECT 1;\n  Commit ;\n", "V003__more.sql, line 3:  Commit ;: take this out"),
        ("V003__more.sql", EXPAND + "\\set ON_ERROR_STOP off\n", "V003__more.sql, line 2:\\set ON_ERROR_STOP off"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_before_the_database_is_asked(folder, name, text, complaint):
    folder.add(name, text)
    run = folder.apply("postgresql://todo@127.0.0.1:1/todo")
    assert run.returncode == 1
    assert complaint in run.stderr


def test_a_file_that_ends_our_transaction_is_told_and_not_recorded(url, folder):
    folder.add("V003__sly.sql", EXPAND + "CREATE TABLE sly (id int); COMMIT;")
    run = folder.apply(url)
    assert run.returncode == 1
    assert "V003__sly.sql has ended our transaction" in run.stderr
    assert ask(url, "SELECT max(version) FROM schema_migrations") == 2


def test_a_wrong_password_is_told_at_once_and_not_shown(server):
    run = migrate(server.url.replace("only-for-tests", "wrong-secret"))
    assert run.returncode == 1
    assert "password authentication failed" in run.stderr
    assert "wrong-secret" not in run.stdout + run.stderr


def test_a_database_that_is_not_there_is_waited_for_and_given_up():
    run = migrate(f"postgresql://todo:todo@127.0.0.1:{find_free_port()}/todo", MIGRATE_WAIT_SECONDS="2")
    assert run.returncode == 1
    assert "did not answer within 2 seconds" in run.stderr


@pytest.mark.parametrize("url", ["", "mysql://somewhere/todo"])
def test_a_bad_address_is_refused(url):
    run = migrate(url)
    assert run.returncode == 1
    assert "DATABASE_URL" in run.stderr


# --- failures and interruptions ---


def test_a_migration_that_fails_is_taken_back_whole_and_those_before_it_stay(url, folder):
    folder.add("V003__good.sql", EXPAND + "CREATE TABLE good (id int);")
    folder.add("V004__bad.sql", EXPAND + "CREATE TABLE half (id int);\nCREATE TABLE bad (id no_such_type);")
    run = folder.apply(url)
    assert run.returncode == 1
    assert run.stderr.startswith("migrate: V004__bad.sql failed, it was taken back. The database is at version 3.")
    assert 'V004__bad.sql:3: ERROR:  42704: type "no_such_type" does not exist' in run.stderr
    assert ask(url, "SELECT to_regclass('good') IS NOT NULL AND to_regclass('half') IS NULL")
    folder.add("V004__bad.sql", EXPAND + "CREATE TABLE half (id int);")
    assert "the database is at version 4" in folder.apply(url).stdout


def test_an_error_is_told_without_the_rows_of_people(url, folder):
    migrate(url)
    do(url, "INSERT INTO users (email, password_hash) VALUES ('ada@example.org', 'x')")
    folder.add("V003__short.sql", EXPAND + "ALTER TABLE users ADD CHECK (length(email) < 5);")
    run = folder.apply(url)
    assert run.returncode == 1
    assert 'check constraint "users_email_check" of relation "users" is violated by some row' in run.stderr
    folder.add("V003__short.sql", EXPAND + "CREATE UNIQUE INDEX ON users ((1)); INSERT INTO users SELECT * FROM users;")
    assert "ada@example.org" not in folder.apply(url).stderr


SLOW = EXPAND + "CREATE TABLE slow (id int); SELECT pg_sleep(30); CREATE TABLE slower (id int);"


def test_a_run_that_was_killed_leaves_nothing_and_the_next_one_finishes(url, folder):
    folder.add("V003__slow.sql", SLOW)
    with folder.apply_in_background(url) as run:
        wait_until(lambda: is_sleeping(url), "the start of V003")
        os.killpg(run.pid, signal.SIGKILL)
    assert ask(url, "SELECT to_regclass('slow') IS NULL")
    folder.add("V003__slow.sql", SLOW.replace("30", "0"))
    # The server's process may not have noticed yet: the next run waits for it.
    after = folder.apply(url)
    assert after.returncode == 0, after.stderr
    assert applied(url).endswith("V003__slow.sql")


def test_a_signal_ends_a_run_at_once_and_leaves_no_file(url, folder, tmp_path):
    folder.add("V003__slow.sql", SLOW)
    private = tmp_path / "private"
    private.mkdir()
    with folder.apply_in_background(url, TMPDIR=str(private)) as run:
        wait_until(lambda: is_sleeping(url), "the start of V003")
        run.terminate()
        _, said = run.communicate(timeout=5)
    assert run.returncode == 1
    assert said.startswith("migrate: stopped by a signal. What was under way is taken back")
    assert list(private.iterdir()) == []
    assert ask(url, "SELECT to_regclass('slow') IS NULL")


def test_a_connection_that_the_server_ends_is_told_and_the_next_run_finishes(url, folder):
    folder.add("V003__slow.sql", SLOW)
    with folder.apply_in_background(url) as run:
        wait_until(lambda: is_sleeping(url), "the start of V003")
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        assert ask(url, query)
        _, said = run.communicate(timeout=20)
    assert run.returncode == 1
    assert "V003__slow.sql failed, it was taken back; the connection was lost, so run again" in said
    folder.add("V003__slow.sql", SLOW.replace("30", "0"))
    assert "the database is at version 3" in folder.apply(url).stdout


def test_a_server_that_crashes_in_the_middle_loses_nothing_whole(folder):
    folder.add("V003__slow.sql", SLOW)
    server = Postgres().start()
    try:
        with folder.apply_in_background(server.url) as run:
            wait_until(lambda: is_sleeping(server.url), "the start of V003")
            server.process.send_signal(signal.SIGQUIT)
            server.process.wait(timeout=20)
            assert run.wait(timeout=20) == 1
        server.start()
        assert applied(server.url) == "V001__accounts_and_tasks.sql V002__conversations.sql"
        folder.add("V003__slow.sql", SLOW.replace("30", "0"))
        assert "the database is at version 3" in folder.apply(server.url).stdout
    finally:
        server.remove()


@contextmanager
def tasks_in_use(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, application_name="a-long-report") as connection:
        connection.execute("SELECT count(*) FROM tasks")
        yield connection


def add_task(connection: psycopg.Connection) -> None:
    """A row that the making of an index has to wait for."""
    connection.execute("INSERT INTO users (email, password_hash) VALUES ('a@example.org', '')")
    connection.execute("INSERT INTO tasks (user_id, title) SELECT id, 'one' FROM users")


def test_a_table_in_use_is_tried_for_and_given_up_with_the_names_of_its_users(url, folder):
    migrate(url)
    folder.add("V003__more.sql", EXPAND + "ALTER TABLE tasks ADD COLUMN more int;")
    with tasks_in_use(url):
        run = folder.apply(url, MIGRATE_LOCK_SECONDS="1", MIGRATE_LOCK_TRIES="2")
        # And while it tried, nobody stood behind it for longer than that.
        assert ask(url, "SELECT count(*) FROM tasks") == 0
    assert run.returncode == 1
    assert "trying again in 1 s (1 of 2)" in run.stdout
    assert "V003__more.sql failed, it was taken back; longest open transactions: a-long-report (process" in run.stderr
    assert "canceling statement due to lock timeout" in run.stderr


def test_a_table_that_becomes_free_in_time_is_migrated(url, folder):
    migrate(url)
    folder.add("V003__more.sql", EXPAND + "ALTER TABLE tasks ADD COLUMN more int;")
    with ThreadPoolExecutor() as threads:
        with tasks_in_use(url):
            run = threads.submit(folder.apply, url, MIGRATE_LOCK_SECONDS="1", MIGRATE_LOCK_TRIES="9")
            time.sleep(2)
        assert "the database is at version 3" in run.result(timeout=30).stdout


def test_a_statement_that_takes_too_long_is_ended(url, folder):
    folder.add("V003__slow.sql", SLOW)
    run = folder.apply(url, MIGRATE_STATEMENT_SECONDS="1")
    assert run.returncode == 1
    assert "canceling statement due to statement timeout" in run.stderr


# --- outside a transaction ---

INDEX = ALONE + "CREATE INDEX CONCURRENTLY tasks_by_title ON tasks (title);"


def test_what_cannot_be_in_a_transaction_is_run_outside_of_one(url, folder):
    folder.add("V003__index.sql", INDEX)
    run = folder.apply(url)
    assert run.returncode == 0, run.stderr
    assert ask(url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'tasks_by_title'::regclass")
    assert ask(url, "SELECT finished_at IS NOT NULL AND duration_ms >= 0 FROM schema_migrations WHERE version = 3")


def test_another_run_waits_for_one_outside_a_transaction_and_does_not_stop_it(url, folder):
    migrate(url)
    folder.add("V003__index.sql", INDEX)
    with ThreadPoolExecutor() as threads:
        with tasks_in_use(url) as user:
            add_task(user)
            runs = [threads.submit(folder.apply, url) for _ in range(3)]
            time.sleep(3)
            assert not any(run.done() for run in runs)
        ended = [run.result(timeout=60) for run in runs]
    assert [run.returncode for run in ended] == [0, 0, 0], [run.stderr for run in ended]
    assert ask(url, "SELECT bool_and(indisvalid) FROM pg_index")


@pytest.fixture
def half_done(url: str, folder: Folder) -> subprocess.CompletedProcess[str]:
    """How the run after a killed one ended."""
    migrate(url)
    folder.add("V003__index.sql", INDEX)
    with tasks_in_use(url) as user:
        add_task(user)
        with folder.apply_in_background(url) as run:
            wait_until(lambda: ask(url, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 1, "the index")
            os.killpg(run.pid, signal.SIGKILL)
        ours = "datname = current_database() AND application_name = 'migrate'"
        count = f"SELECT count(*) FROM pg_stat_activity WHERE {ours}"
        wait_until(lambda: ask(url, count) == 0, "the end of the server's process")
    return folder.apply(url)


def test_a_half_done_migration_is_reported_with_the_remedy(url, folder, half_done):
    assert half_done.returncode == 1
    assert half_done.stderr.startswith("migrate: V003__index.sql was begun (20")
    assert "Indexes that are not valid: tasks_by_title" in half_done.stderr
    assert "half-done  expand      V003__index.sql" in folder.apply(url, "status").stdout


def test_a_half_done_migration_is_run_again_after_its_try_was_forgotten(url, folder, half_done):
    remedy = next(line for line in half_done.stderr.splitlines() if line.startswith("  DELETE"))
    do(url, "DROP INDEX CONCURRENTLY tasks_by_title", remedy)
    assert "applying V003__index.sql" in folder.apply(url).stdout
    assert ask(url, "SELECT bool_and(indisvalid) FROM pg_index")


def test_a_half_done_migration_is_left_alone_after_it_was_completed_by_hand(url, folder, half_done):
    remedy = next(line for line in half_done.stderr.splitlines() if line.startswith("  UPDATE"))
    do(url, "REINDEX INDEX CONCURRENTLY tasks_by_title", remedy)
    run = folder.apply(url)
    assert (run.returncode, "applying" in run.stdout) == (0, False), run.stderr


# --- databases that were there before ---


def run_plainly(url: str) -> None:
    for file in sorted((DATABASE / "migrations").glob("*.sql")):
        do(url, file.read_text())


def test_the_history_of_the_first_releases_is_brought_up_to_date_and_still_serves_them(url):
    run_plainly(url)
    do(
        url,
        "CREATE TABLE schema_migrations (version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())",
        *(
            f"INSERT INTO schema_migrations (version, name, checksum) VALUES ({name[1:4]}, '{name}', '{checksum}')"
            for name, checksum in FIRST_CHECKSUMS.items()
        ),
    )
    assert "applied    expand      V002__conversations.sql  20" in migrate(url, "status").stdout
    run = migrate(url)
    assert (run.returncode, "applying" in run.stdout) == (0, False), run.stderr
    assert ask(url, "SELECT bool_and(kind = 'expand' AND finished_at = applied_at) FROM schema_migrations")
    # The statements of those releases: a rollback may bring them back.
    is_late = "coalesce((SELECT max(version) FROM schema_migrations), 0) > 1"
    assert ask(url, f"SELECT {is_late} FROM schema_migrations WHERE version = 1")
    do(url, "INSERT INTO schema_migrations (version, name, checksum) VALUES (3, 'V003__more.sql', 'x')")
    assert "the database is ahead by 1" in migrate(url).stdout


def test_tables_without_a_history_are_refused_until_their_version_is_told(url, folder):
    run_plainly(url)
    do(url, "INSERT INTO users (email, password_hash) VALUES ('a@example.org', 'x')")
    folder.add("V003__more.sql", EXPAND + "ALTER TABLE users ADD COLUMN more int;")
    run = folder.apply(url)
    assert run.returncode == 1
    assert run.stderr.startswith(
        "migrate: the database has tables, but no history of migrations: conversations, messages, tasks, users."
    )
    assert "MIGRATE_BASELINE" in run.stderr
    for _ in range(2):
        run = folder.apply(url, MIGRATE_BASELINE="002")
        assert run.returncode == 0, run.stderr
    assert applied(url) == "V001__accounts_and_tasks.sql V002__conversations.sql V003__more.sql"
    recorded = "SELECT string_agg(is_baseline::text, ' ' ORDER BY version) FROM schema_migrations"
    assert ask(url, recorded) == "true true false"
    assert ask(url, "SELECT count(*) FROM users WHERE more IS NULL") == 1


def test_a_baseline_that_is_not_true_is_refused(url):
    run_plainly(url)
    do(url, "ALTER TABLE messages DROP COLUMN tool_calls", "ALTER TABLE tasks ALTER COLUMN title TYPE varchar(20)")
    do(url, "ALTER TABLE users DROP CONSTRAINT users_email_key")
    run = migrate(url, MIGRATE_BASELINE="2")
    assert run.returncode == 1
    assert run.stderr.startswith("migrate: the database is not at version 2, so it was not recorded as such: ")
    for difference in (
        "messages lacks column tool_calls jsonb not null",
        "tasks lacks column title text not null",
        "tasks has column title character varying(20) not null",
        "users lacks unique on (email)",
    ):
        assert difference in run.stderr
    assert ask(url, "SELECT to_regclass('schema_migrations') IS NULL")
    assert ask(url, "SELECT to_regnamespace('todo_migrate_baseline') IS NULL")


@pytest.mark.parametrize(("baseline", "complaint"), [("7", "no migration of that version"), ("two", "must be a version")])
def test_a_baseline_that_is_no_version_is_refused(url, baseline, complaint):
    run_plainly(url)
    run = migrate(url, MIGRATE_BASELINE=baseline)
    assert run.returncode == 1
    assert run.stderr.startswith(f'migrate: MIGRATE_BASELINE is "{baseline}"')
    assert complaint in run.stderr
