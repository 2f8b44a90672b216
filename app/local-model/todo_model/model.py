"""Decides the next message of a conversation, as a chat-completions model does."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from .sentences import HELP, Wish, describe_result, find_task, read_error, read_result, read_text, read_wish

Message = dict[str, Any]


@dataclass(frozen=True)
class Call:
    tool: str
    arguments: dict[str, Any]


def decide(messages: list[Message], tools: set[str]) -> str | Call:
    """Returns the words to answer with, or the tool to call first."""
    asked_at = max((at for at, message in enumerate(messages) if message.get("role") == "user"), default=-1)
    if asked_at < 0:
        return HELP
    wish = read_wish(read_text(messages[asked_at].get("content")))
    if wish is None or wish.tool not in tools:
        return HELP
    if len(messages) == asked_at + 1:
        return begin(wish, tools)
    return go_on(wish, messages[asked_at + 1 :])


def begin(wish: Wish, tools: set[str]) -> str | Call:
    if not wish.task:
        return Call(wish.tool, wish.arguments)
    if wish.task.isdecimal():
        return Call(wish.tool, {"task_id": int(wish.task), **wish.arguments})
    return Call("list_tasks", {}) if "list_tasks" in tools else HELP


def go_on(wish: Wish, since: list[Message]) -> str | Call:
    last = since[-1]
    if last.get("role") != "tool":
        return HELP
    result = read_result(last.get("content"))
    if result is None:
        return f"That did not work: {read_error(last.get('content'))}"
    called = name_of_call(since, last.get("tool_call_id"))
    if called == "list_tasks" and wish.task:
        task = find_task(result["tasks"], wish.task)
        if task is None:
            return f"I do not know which task you mean by “{wish.task}”; tell me its number."
        return Call(wish.tool, {"task_id": task["id"], **wish.arguments})
    return describe_result(called, result)


def name_of_call(messages: list[Message], call_id: Any) -> str:
    for message in messages:
        for call in message.get("tool_calls") or []:
            if call.get("id") == call_id:
                return str(call["function"]["name"])
    return ""


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Returns the chat completion for a request whose shape has been checked."""
    messages = request["messages"]
    tools = {tool["function"]["name"] for tool in request.get("tools") or []}
    decision = decide(messages, tools)
    digest = hashlib.sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest()[:24]
    message: Message = {"role": "assistant", "content": None, "refusal": None}
    if isinstance(decision, Call):
        call = {"name": decision.tool, "arguments": json.dumps(decision.arguments)}
        message["tool_calls"] = [{"id": f"call_{digest}", "type": "function", "function": call}]
    else:
        message["content"] = decision
    spoken, said = count_words(messages), count_words([message])
    return {
        "id": f"chatcmpl-{digest}",
        "object": "chat.completion",
        "created": 0,
        "model": request["model"],
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": "tool_calls" if isinstance(decision, Call) else "stop",
            }
        ],
        "usage": {"prompt_tokens": spoken, "completion_tokens": said, "total_tokens": spoken + said},
    }


def count_words(messages: list[Message]) -> int:
    return sum(len(read_text(message.get("content")).split()) for message in messages)
