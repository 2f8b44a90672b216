"""Puts the service together."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal
from urllib.parse import urljoin
from uuid import UUID

import httpx2
import openai
from agents import set_tracing_disabled
from agents.exceptions import AgentsException, MaxTurnsExceeded
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, StringConstraints

from .assistant import Assistant
from .settings import Settings

PROBE_SECONDS = 2.0

log = logging.getLogger(__name__)


class Message(BaseModel):
    role: Literal["user", "assistant"]
    content: str


class Question(BaseModel):
    user_id: UUID
    history: list[Message] = Field(default=[], max_length=100)
    message: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


def create_app(settings: Settings) -> FastAPI:
    set_tracing_disabled(True)

    @asynccontextmanager
    async def hold_connections(app: FastAPI) -> AsyncIterator[None]:
        app.state.assistant = Assistant(settings)
        async with httpx2.AsyncClient(timeout=PROBE_SECONDS, trust_env=False) as app.state.probe:
            yield
        await app.state.assistant.close()

    app = FastAPI(title="Todo agent", version="1.0.0", lifespan=hold_connections)
    app.state.mcp_health = urljoin(settings.mcp_url, "/health")
    app.add_api_route("/chat", chat, methods=["POST"])
    app.add_api_route("/health", health)
    app.add_api_route("/ready", ready)
    return app


async def chat(question: Question, request: Request) -> dict[str, Any]:
    history = [message.model_dump() for message in question.history]
    try:
        answer = await request.app.state.assistant.answer(
            str(question.user_id), history, question.message
        )
    except openai.AuthenticationError as error:
        raise refuse("The model refuses the key: set OPENAI_API_KEY to a valid one.", error) from error
    except openai.APIError as error:
        raise refuse("The model does not answer: see OPENAI_BASE_URL and its status.", error) from error
    except MaxTurnsExceeded as error:
        raise refuse("The model found no answer in the turns it is given.", error) from error
    except (AgentsException, httpx2.HTTPError, OSError, TimeoutError) as error:
        raise refuse("The MCP server does not answer: see MCP_SERVER_URL.", error) from error
    return {"reply": answer.reply, "tool_calls": answer.tool_calls}


def refuse(detail: str, error: Exception) -> HTTPException:
    # The kind of the error only: its text may quote the request, and so what a person wrote.
    log.warning("%s (%s)", detail, type(error).__name__)
    return HTTPException(502, detail)


async def health() -> dict[str, str]:
    return {"status": "ok"}


async def ready(request: Request) -> JSONResponse:
    # The model is not asked: a probe every few seconds would cost money and say little.
    try:
        response = await request.app.state.probe.get(request.app.state.mcp_health)
        is_ready = response.status_code == 200
    except httpx2.HTTPError:
        is_ready = False
    body = {
        "status": "ok" if is_ready else "unavailable",
        "mcp_server": "ok" if is_ready else "unreachable",
    }
    return JSONResponse(body, 200 if is_ready else 503)
