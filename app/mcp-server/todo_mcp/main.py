"""Puts the service together: the MCP endpoint and the two probes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse

from .database import is_migrated, make_pool
from .settings import Settings
from .tools import add_tools

# Anything a tool takes fits many times over.
LARGEST_REQUEST = 64 * 1024


def create_app(settings: Settings) -> Starlette:
    server = MCPServer("todo", version="1.0.0", log_level="WARNING")
    pool: list[AsyncConnectionPool] = []
    add_tools(server, lambda: pool[0])

    @server.custom_route("/health", methods=["GET"])
    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @server.custom_route("/ready", methods=["GET"])
    async def ready(_: Request) -> JSONResponse:
        try:
            database = "ok" if await is_migrated(pool[0]) else "not migrated"
        except (PoolTimeout, psycopg.Error):
            database = "unreachable"
        is_ready = database == "ok"
        body = {"status": "ok" if is_ready else "unavailable", "database": database}
        return JSONResponse(body, 200 if is_ready else 503)

    # Stateless: any replica may answer any request, so that replicas need no sticky sessions.
    app = server.streamable_http_app(
        stateless_http=True,
        json_response=True,
        max_request_body_size=LARGEST_REQUEST,
        # Meant for servers on a desktop; here callers use the name of a Service, which we cannot know.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    serve_mcp = app.router.lifespan_context

    @asynccontextmanager
    async def hold_connections(app: Starlette) -> AsyncIterator[None]:
        own_pool = make_pool(settings.database_url, settings.pool_size)
        await own_pool.open(wait=False)
        pool[:] = [own_pool]
        try:
            async with serve_mcp(app):
                yield
        finally:
            await own_pool.close()

    app.router.lifespan_context = hold_connections
    return app
