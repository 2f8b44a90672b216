import json

import pytest

from todo_model.model import answer
from todo_model.sentences import read_wish

TOOLS = [
    {"type": "function", "function": {"name": name}}
    for name in ("add_task", "list_tasks", "complete_task", "update_task", "delete_task")
]
MILK = {"id": 7, "title": "buy milk", "description": "", "completed": False}


def ask(*messages, tools=TOOLS):
    completion = answer({"model": "todo-local", "messages": list(messages), "tools": tools})
    return completion["choices"][0]


def say(words):
    return {"role": "user", "content": words}


def told(call, result):
    return [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": json.dumps(result)},
    ]


@pytest.mark.parametrize(
    ("sentence", "tool", "arguments", "task"),
    [
        ("add buy milk", "add_task", {"title": "buy milk"}, ""),
        ("Add a task to buy milk.", "add_task", {"title": "buy milk"}, ""),
        ('add "call Ada"', "add_task", {"title": "call Ada"}, ""),
        ("list my tasks", "list_tasks", {}, ""),
        ("show my completed tasks", "list_tasks", {"status": "completed"}, ""),
        ("What's left?", "list_tasks", {"status": "pending"}, ""),
        ("complete task 3", "complete_task", {}, "3"),
        ("complete buy milk", "complete_task", {}, "buy milk"),
        ("mark task 3 as done", "complete_task", {}, "3"),
        ("rename task 3 to buy bread", "update_task", {"title": "buy bread"}, "3"),
        ("delete task 3", "delete_task", {}, "3"),
        ("remove #3", "delete_task", {}, "3"),
    ],
)
def test_a_sentence_is_understood(sentence, tool, arguments, task):
    wish = read_wish(sentence)
    assert (wish.tool, wish.arguments, wish.task) == (tool, arguments, task)


def test_an_unknown_sentence_gets_help_and_no_call():
    choice = ask(say("how is the weather"))
    assert "add buy milk" in choice["message"]["content"]
    assert "tool_calls" not in choice["message"]


def test_a_tool_that_was_not_offered_is_not_called():
    assert ask(say("add buy milk"), tools=[])["finish_reason"] == "stop"


def test_a_task_with_a_number_takes_one_call():
    choice = ask(say("rename task 7 to buy bread"))
    call = choice["message"]["tool_calls"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert call["function"]["name"] == "update_task"
    assert json.loads(call["function"]["arguments"]) == {"task_id": 7, "title": "buy bread"}


def test_a_task_with_a_title_is_looked_up_first():
    first = ask(say("complete buy milk"))["message"]["tool_calls"][0]
    assert first["function"]["name"] == "list_tasks"
    messages = [say("complete buy milk"), *told(first, {"tasks": [MILK]})]
    second = ask(*messages)["message"]["tool_calls"][0]
    assert second["function"]["name"] == "complete_task"
    assert json.loads(second["function"]["arguments"]) == {"task_id": 7}
    assert second["id"] != first["id"]
    messages += told(second, {"task": {**MILK, "completed": True}})
    assert ask(*messages)["message"]["content"] == "Done: task 7, “buy milk”, is completed."


def test_a_title_that_is_not_there_is_asked_back():
    first = ask(say("delete the moon"))["message"]["tool_calls"][0]
    choice = ask(say("delete the moon"), *told(first, {"tasks": [MILK]}))
    assert "tell me its number" in choice["message"]["content"]


def test_an_error_of_a_tool_is_passed_on():
    call = ask(say("delete task 9"))["message"]["tool_calls"][0]
    messages = [say("delete task 9"), *told(call, None)]
    messages[-1]["content"] = "There is no task 9."
    assert ask(*messages)["message"]["content"] == "That did not work: There is no task 9."


def test_the_same_words_get_the_same_answer():
    assert ask(say("add buy milk")) == ask(say("add buy milk"))
