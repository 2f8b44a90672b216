"""Puts the service together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import psycopg
from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout

from . import accounts, chat, tasks
from .database import is_migrated, make_pool
from .logs import start_logging
from .settings import Settings, read_settings

# The agent may need several turns with its model; the browser waits a little longer than this.
AGENT_TIMEOUT = httpx.Timeout(60, connect=5)


def create_app(settings: Settings | None = None) -> FastAPI:
    settings = settings or read_settings()
    start_logging(settings.log_level)
    app = FastAPI(title="Todo backend", version="1.0.0", lifespan=hold_connections)
    app.state.settings = settings
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
        )
    for router in (accounts.router, tasks.router, chat.router):
        app.include_router(router)
    app.add_api_route("/health", health, tags=["probes"])
    app.add_api_route("/ready", ready, tags=["probes"])
    for trouble in (PoolTimeout, psycopg.OperationalError):
        app.add_exception_handler(trouble, say_database_is_away)
    return app


@asynccontextmanager
async def hold_connections(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    pool = make_pool(settings.database_url, settings.pool_size)
    agent = httpx.AsyncClient(base_url=settings.agent_url, timeout=AGENT_TIMEOUT, trust_env=False)
    await pool.open(wait=False)
    app.state.pool, app.state.agent = pool, agent
    try:
        yield
    finally:
        await agent.aclose()
        await pool.close()


async def health() -> dict[str, str]:
    return {"status": "ok"}


async def ready(request: Request) -> JSONResponse:
    # The agent is not asked: without it tasks still work, and a chat says itself what is missing.
    try:
        database = "ok" if await is_migrated(request.app.state.pool) else "not migrated"
    except (PoolTimeout, psycopg.Error):
        database = "unreachable"
    is_ready = database == "ok"
    body = {"status": "ok" if is_ready else "unavailable", "database": database}
    return JSONResponse(body, 200 if is_ready else 503)


async def say_database_is_away(request: Request, error: Exception) -> JSONResponse:
    detail = "The database does not answer; try again in a moment."
    return JSONResponse({"detail": detail}, 503, {"Retry-After": "5"})
