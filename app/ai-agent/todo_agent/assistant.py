"""One question, one answer: the model decides, the MCP server acts, nothing is remembered here."""

import json
from dataclasses import dataclass
from typing import Any

from agents import Agent, ModelSettings, OpenAIChatCompletionsModel, RunConfig, Runner
from agents.items import ToolCallItem
from agents.mcp import MCPServerStreamableHttp
from openai import AsyncOpenAI

from .settings import Settings

INSTRUCTIONS = """You look after the todo list of the person you talk to. Use the tools for everything
that concerns tasks and never invent tasks or numbers. When a task is named by its title, find its
number with list_tasks first. Answer in one or two plain sentences."""

# A chat needs two or three turns; more means that a model goes round in circles.
MOST_TURNS = 8
MCP_SECONDS = 10


@dataclass(frozen=True)
class Answer:
    reply: str
    tool_calls: list[dict[str, Any]]


class Assistant:
    def __init__(self, settings: Settings) -> None:
        self.mcp_url = settings.mcp_url
        self.client = AsyncOpenAI(
            base_url=settings.model_url, api_key=settings.model_key, timeout=40, max_retries=2
        )
        self.model = OpenAIChatCompletionsModel(settings.model, openai_client=self.client)

    async def answer(self, user_id: str, history: list[dict[str, str]], message: str) -> Answer:
        # A connection of its own for each question: the header that says whose tasks these are
        # belongs to the connection, and two users must never share one.
        async with MCPServerStreamableHttp(
            params={
                "url": self.mcp_url,
                "headers": {"X-User-Id": user_id},
                "timeout": MCP_SECONDS,
                "terminate_on_close": False,
            },
            name="todo",
            client_session_timeout_seconds=MCP_SECONDS,
            use_structured_content=True,
        ) as tools:
            agent = Agent(
                name="todo",
                instructions=INSTRUCTIONS,
                model=self.model,
                model_settings=ModelSettings(temperature=0, parallel_tool_calls=False),
                mcp_servers=[tools],
            )
            # Traces would go to the maker of the SDK, with what people write in them.
            result = await Runner.run(
                agent,
                [*history, {"role": "user", "content": message}],
                max_turns=MOST_TURNS,
                run_config=RunConfig(tracing_disabled=True),
            )
        calls = [read_call(item) for item in result.new_items if isinstance(item, ToolCallItem)]
        return Answer(reply=str(result.final_output), tool_calls=calls)

    async def close(self) -> None:
        await self.client.close()


def read_call(item: ToolCallItem) -> dict[str, Any]:
    arguments = json.loads(getattr(item.raw_item, "arguments", "") or "{}")
    return {"name": getattr(item.raw_item, "name", ""), "arguments": arguments}
