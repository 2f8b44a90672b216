"""The application as it was before containers: a plain PostgreSQL without a history of migrations, and a backend in front.

    python -m testing.phase3 [backend]          from the folder app/

prints one line of JSON, {"database": URL, "backend": URL or nothing}, when they answer, and takes them away when its input ends.
"""

import json
import sys

import psycopg

from .postgres import DATABASE, Postgres
from .processes import AUTH_SECRET, Service


def main() -> None:
    server = Postgres()
    try:
        server.start()
        with psycopg.connect(server.url, autocommit=True) as connection:
            # By hand, as a README might have told: nothing is recorded.
            for file in sorted((DATABASE / "migrations").glob("V00[12]__*.sql")):
                connection.execute(file.read_text())
        # Neither signing key nor agent matters to the data.
        env = {"DATABASE_URL": server.url, "AUTH_SECRET": AUTH_SECRET, "WEB_CONCURRENCY": "1"}
        backend = Service("backend", [sys.executable, "-m", "gunicorn"], env)
        try:
            if "backend" in sys.argv:
                backend.start()
            print(json.dumps({"database": server.url, "backend": backend.url if backend.process else ""}), flush=True)
            sys.stdin.read()
        finally:
            backend.stop()
    finally:
        server.remove()


if __name__ == "__main__":
    main()
