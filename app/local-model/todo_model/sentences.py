"""What a person may say, and what is said back. Pure functions: the same words, the same answer."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

HELP = (
    'I can look after your todo list. Try "add buy milk", "list my tasks", "complete task 3",'
    ' "rename task 3 to buy bread" or "delete task 3".'
)

TASK = r"(?:the )?(?:task |todo )?#?(?P<task>.+?)"


@dataclass(frozen=True)
class Wish:
    """A tool, what it is told, and the task it is about: a number, or words of its title."""

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict)
    task: str = ""


# The first pattern that fits the whole sentence wins.
WISHES: list[tuple[str, str]] = [
    (r"(?:please )?(?:add|create|remember|remind me to)(?: a| the)?(?: new)?(?: task| todo)?(?: to)?:? (?P<title>.+)", "add_task"),
    (r"(?:rename|change|update) " + TASK + r" (?:to|into) (?P<title>.+)", "update_task"),
    (r"(?:complete|finish|tick off|mark) " + TASK + r"(?: as (?:done|completed?|finished))?", "complete_task"),
    (r"(?:delete|remove|drop) " + TASK, "delete_task"),
    (r"(?:what is|what's|what have i|list|show)\b.*\b(?P<status>pending|open|left|completed|done)\b.*", "list_tasks"),
    (r"(?:what is|what's|list|show)\b.*(?:tasks?|todos?|list|plan).*", "list_tasks"),
]
STATUSES = {"pending": "pending", "open": "pending", "left": "pending", "completed": "completed", "done": "completed"}


def read_wish(sentence: str) -> Wish | None:
    """Returns what the sentence asks for, or None when it is not one of those we know."""
    words = re.sub(r"\s+", " ", sentence).strip().rstrip(".!?")
    for pattern, tool in WISHES:
        match = re.fullmatch(pattern, words, re.IGNORECASE)
        if match is None:
            continue
        found = {name: unquote(value) for name, value in match.groupdict().items() if value}
        arguments: dict[str, Any] = {}
        if "title" in found:
            arguments["title"] = found["title"]
        if "status" in found:
            arguments["status"] = STATUSES[found["status"].lower()]
        return Wish(tool, arguments, found.get("task", ""))
    return None


def unquote(value: str) -> str:
    return value.strip().strip("\"'“”").strip()


def find_task(tasks: list[dict[str, Any]], words: str) -> dict[str, Any] | None:
    """Returns the task of that title, else the only one whose title has these words in it."""
    wanted = words.lower()
    same = [task for task in tasks if task["title"].lower() == wanted]
    near = [task for task in tasks if wanted in task["title"].lower()]
    if same:
        return min(same, key=lambda task: (task["completed"], task["id"]))
    return near[0] if len(near) == 1 else None


def describe_result(tool: str, result: dict[str, Any]) -> str:
    """Returns the sentence that tells a person what a tool has done."""
    if "tasks" in result:
        return describe_list(result["tasks"])
    task = result["task"]
    name = f"task {task['id']}, “{task['title']}”"
    return {
        "add_task": f"I added {name}.",
        "complete_task": f"Done: {name}, is completed.",
        "update_task": f"I changed {name}.",
        "delete_task": f"I deleted {name}.",
    }.get(tool, f"Here is {name}.")


def describe_list(tasks: list[dict[str, Any]]) -> str:
    if not tasks:
        return "There are no tasks in this list."
    lines = [f"{task['id']}. {task['title']}{' ✓' if task['completed'] else ''}" for task in tasks]
    count = "1 task" if len(tasks) == 1 else f"{len(tasks)} tasks"
    return "\n".join([f"You have {count}:", *lines])


def read_result(content: Any) -> dict[str, Any] | None:
    """Returns the result of a tool, or None when it is not one: an error comes as plain words."""
    try:
        value = json.loads(read_text(content))
    except ValueError:
        return None
    return value if isinstance(value, dict) and ("task" in value or "tasks" in value) else None


def read_error(content: Any) -> str:
    """Returns what a tool says went wrong, without the name of the tool that MCP servers prefix."""
    return re.sub(r"^Error executing tool \w+: ", "", read_text(content))


def read_text(content: Any) -> str:
    """Returns the words of a message, whose content is a string or a list of parts."""
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
