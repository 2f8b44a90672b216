"""Conversations: the agent answers, the words of both are kept here, because the agent keeps nothing."""

import logging
from typing import Annotated, Any
from uuid import UUID

import httpx
from fastapi import APIRouter, HTTPException, Request
from psycopg.types.json import Jsonb
from pydantic import BaseModel, StringConstraints, TypeAdapter, ValidationError

from .accounts import CurrentUser

# What the agent gets to read again; older messages stay in the database.
HISTORY_LENGTH = 20
MOST_LISTED = 200

router = APIRouter(prefix="/api", tags=["chat"])
log = logging.getLogger(__name__)


class ChatRequest(BaseModel):
    message: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
    conversation_id: UUID | None = None


class ToolCall(BaseModel):
    name: str
    arguments: dict[str, Any]


class AgentAnswer(BaseModel):
    reply: str
    tool_calls: list[ToolCall]


class ChatAnswer(AgentAnswer):
    conversation_id: UUID


answer_of_agent = TypeAdapter(AgentAnswer)


@router.post("/chat")
async def chat(asked: ChatRequest, request: Request, user: CurrentUser) -> ChatAnswer:
    pool = request.app.state.pool
    history: list[dict[str, Any]] = []
    if asked.conversation_id:
        async with pool.connection() as connection:
            await require_conversation(connection, asked.conversation_id, user)
            history = await read_messages(connection, asked.conversation_id, HISTORY_LENGTH)
    # No connection is held while the model thinks.
    answer = await ask_agent(
        request.app.state.agent,
        {
            "user_id": str(user),
            "history": [{"role": past["role"], "content": past["content"]} for past in history],
            "message": asked.message,
        },
    )
    async with pool.connection() as connection:
        conversation = asked.conversation_id or await start_conversation(connection, user, asked.message)
        await keep_exchange(connection, conversation, asked.message, answer)
    return ChatAnswer(conversation_id=conversation, reply=answer.reply, tool_calls=answer.tool_calls)


@router.get("/conversations")
async def list_conversations(request: Request, user: CurrentUser) -> list[dict[str, Any]]:
    async with request.app.state.pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT id, title, created_at, updated_at FROM conversations"
            " WHERE user_id = %s ORDER BY updated_at DESC, id LIMIT %s",
            (user, MOST_LISTED),
        )
        return await cursor.fetchall()


@router.get("/conversations/{conversation_id}/messages")
async def list_messages(
    conversation_id: UUID, request: Request, user: CurrentUser
) -> list[dict[str, Any]]:
    async with request.app.state.pool.connection() as connection:
        await require_conversation(connection, conversation_id, user)
        return await read_messages(connection, conversation_id, MOST_LISTED)


async def ask_agent(agent: httpx.AsyncClient, question: dict[str, Any]) -> AgentAnswer:
    try:
        response = await agent.post("/chat", json=question)
        response.raise_for_status()
        return answer_of_agent.validate_json(response.content)
    except httpx.TimeoutException as error:
        raise HTTPException(504, "The assistant took too long to answer; try again.") from error
    except (httpx.HTTPError, ValidationError) as error:
        log.warning("the agent did not answer: %s", error)
        raise HTTPException(502, "The assistant cannot answer now; try again.") from error


async def require_conversation(connection: Any, conversation: UUID, user: UUID) -> None:
    cursor = await connection.execute(
        "SELECT 1 FROM conversations WHERE id = %s AND user_id = %s", (conversation, user)
    )
    if await cursor.fetchone() is None:
        raise HTTPException(404, "There is no such conversation.")


async def read_messages(connection: Any, conversation: UUID, most: int) -> list[dict[str, Any]]:
    """Returns the newest messages, oldest of them first."""
    cursor = await connection.execute(
        "SELECT id, role, content, tool_calls, created_at FROM messages"
        " WHERE conversation_id = %s ORDER BY id DESC LIMIT %s",
        (conversation, most),
    )
    return list(reversed(await cursor.fetchall()))


async def start_conversation(connection: Any, user: UUID, title: str) -> UUID:
    cursor = await connection.execute(
        "INSERT INTO conversations (user_id, title) VALUES (%s, %s) RETURNING id",
        (user, title[:80]),
    )
    return (await cursor.fetchone())["id"]


async def keep_exchange(
    connection: Any, conversation: UUID, message: str, answer: AgentAnswer
) -> None:
    calls = Jsonb([call.model_dump() for call in answer.tool_calls])
    await connection.execute(
        "INSERT INTO messages (conversation_id, role, content, tool_calls)"
        " VALUES (%s, 'user', %s, '[]'), (%s, 'assistant', %s, %s)",
        (conversation, message, conversation, answer.reply, calls),
    )
    await connection.execute(
        "UPDATE conversations SET updated_at = now() WHERE id = %s", (conversation,)
    )
