"""The pool of connections: opened in the background, so that the service starts without a database."""

from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

# A request waits this long for a connection, then says 503; a probe may not wait so long.
WAIT_SECONDS = 5.0
PROBE_SECONDS = 2.0
# The pool tries again with growing pauses and forgets after this time; the next request starts it
# anew. Short, because the pause doubles each time and nobody wants to wait minutes after an outage.
RECONNECT_SECONDS = 10.0


def make_pool(database_url: str, size: int) -> AsyncConnectionPool:
    return AsyncConnectionPool(
        database_url,
        min_size=1,
        max_size=size,
        open=False,
        timeout=WAIT_SECONDS,
        reconnect_timeout=RECONNECT_SECONDS,
        # A connection that died with a restarted database is replaced before a request sees it.
        check=AsyncConnectionPool.check_connection,
        kwargs={
            "row_factory": dict_row,
            "connect_timeout": 5,
            "application_name": "mcp-server",
            # Poolers in transaction mode do not keep prepared statements.
            "prepare_threshold": None,
        },
        name="mcp-server",
    )


async def is_migrated(pool: AsyncConnectionPool) -> bool:
    """Returns whether the tables are there; throws when the database does not answer."""
    async with pool.connection(timeout=PROBE_SECONDS) as connection:
        cursor = await connection.execute("SELECT to_regclass('tasks') IS NOT NULL AS there")
        row = await cursor.fetchone()
    return bool(row and row["there"])
