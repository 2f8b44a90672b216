"""The five tools. Whose tasks they see is told by a header, never by the model's arguments."""

import logging
from collections.abc import Callable
from typing import Annotated, Any, Literal
from uuid import UUID

import psycopg
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from pydantic import Field

USER_HEADER = "x-user-id"
MOST_LISTED = 500
COLUMNS = "id, title, description, completed"

log = logging.getLogger(__name__)

TaskId = Annotated[int, Field(ge=1, le=2**63 - 1, description="The number of the task.")]
Title = Annotated[str, Field(min_length=1, max_length=200, description="What is to be done.")]
Description = Annotated[str, Field(max_length=2000, description="More words about the task.")]
Status = Annotated[
    Literal["all", "pending", "completed"], Field(description="Which tasks to list.")
]

# Task or tasks by name, so that a client reads the same shape from every tool.
Result = dict[str, Any]


def add_tools(server: MCPServer, take_pool: Callable[[], AsyncConnectionPool]) -> None:
    """Gives the server its tools; the pool is asked for at each call, because it opens later."""

    async def run(query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            async with take_pool().connection() as connection:
                cursor = await connection.execute(query, values)
                return await cursor.fetchall()
        except psycopg.errors.ForeignKeyViolation as error:
            raise ToolError("There is no user with the id in the header X-User-Id.") from error
        except (PoolTimeout, psycopg.OperationalError) as error:
            log.warning("the database did not answer: %s", error)
            raise ToolError("The database does not answer; try again in a moment.") from error

    async def run_for_one(query: str, values: dict[str, Any]) -> Result:
        rows = await run(query, values)
        if not rows:
            raise ToolError(f"There is no task {values['task']}.")
        return {"task": rows[0]}

    @server.tool()
    async def add_task(context: Context, title: Title, description: Description = "") -> Result:
        """Adds a task to the user's list."""
        return await run_for_one(
            "INSERT INTO tasks (user_id, title, description)"
            f" VALUES (%(user)s, %(title)s, %(description)s) RETURNING {COLUMNS}",
            {"user": read_user(context), "title": need_title(title), "description": description},
        )

    @server.tool()
    async def list_tasks(context: Context, status: Status = "all") -> Result:
        """Lists the user's tasks: all of them, or only the pending or the completed ones."""
        rows = await run(
            f"SELECT {COLUMNS} FROM tasks WHERE user_id = %(user)s"
            " AND (%(status)s::text = 'all' OR completed = (%(status)s::text = 'completed'))"
            " ORDER BY completed, id LIMIT %(most)s",
            {"user": read_user(context), "status": status, "most": MOST_LISTED},
        )
        return {"tasks": rows}

    @server.tool()
    async def complete_task(context: Context, task_id: TaskId) -> Result:
        """Marks one of the user's tasks as completed."""
        return await run_for_one(
            "UPDATE tasks SET completed = true, updated_at = now()"
            f" WHERE id = %(task)s AND user_id = %(user)s RETURNING {COLUMNS}",
            {"user": read_user(context), "task": task_id},
        )

    @server.tool()
    async def update_task(
        context: Context,
        task_id: TaskId,
        title: Title | None = None,
        description: Description | None = None,
    ) -> Result:
        """Changes the title or the description of one of the user's tasks, or both."""
        user = read_user(context)
        if title is None and description is None:
            raise ToolError("Nothing to change: give a title, a description, or both.")
        return await run_for_one(
            "UPDATE tasks SET title = coalesce(%(title)s, title),"
            " description = coalesce(%(description)s, description), updated_at = now()"
            f" WHERE id = %(task)s AND user_id = %(user)s RETURNING {COLUMNS}",
            {
                "user": user,
                "task": task_id,
                "title": None if title is None else need_title(title),
                "description": description,
            },
        )

    @server.tool()
    async def delete_task(context: Context, task_id: TaskId) -> Result:
        """Deletes one of the user's tasks for good."""
        return await run_for_one(
            f"DELETE FROM tasks WHERE id = %(task)s AND user_id = %(user)s RETURNING {COLUMNS}",
            {"user": read_user(context), "task": task_id},
        )


def read_user(context: Context) -> UUID:
    """Returns the user that the agent acts for; a tool error when the header is not there."""
    value = (context.headers or {}).get(USER_HEADER, "")
    try:
        return UUID(value)
    except ValueError as error:
        raise ToolError("The header X-User-Id is missing or is not the id of a user.") from error


def need_title(title: str) -> str:
    if not title.strip():
        raise ToolError("A title needs at least one letter.")
    return title.strip()
