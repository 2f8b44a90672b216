"""The tasks of the user who asks; of anybody else's it knows nothing, not even that they exist."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Request, Response, status
from pydantic import BaseModel, Field, StringConstraints

from .accounts import CurrentUser

MOST_LISTED = 500
COLUMNS = "id, title, description, completed, created_at, updated_at"

router = APIRouter(prefix="/api/tasks", tags=["tasks"])

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Status = Literal["all", "pending", "completed"]
# The upper bound of the column, so that a larger number is "not found" and not a server error.
TaskId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class NewTask(BaseModel):
    title: Title
    description: str = Field(default="", max_length=2000)


class EditedTask(NewTask):
    completed: bool | None = None


class Completion(BaseModel):
    completed: bool = True


@router.get("")
async def list_tasks(
    request: Request, user: CurrentUser, status: Status = "all"
) -> list[dict[str, Any]]:
    async with request.app.state.pool.connection() as connection:
        cursor = await connection.execute(
            f"SELECT {COLUMNS} FROM tasks WHERE user_id = %(user)s"
            " AND (%(status)s::text = 'all' OR completed = (%(status)s::text = 'completed'))"
            " ORDER BY completed, id LIMIT %(most)s",
            {"user": user, "status": status, "most": MOST_LISTED},
        )
        return await cursor.fetchall()


@router.post("", status_code=status.HTTP_201_CREATED)
async def add_task(task: NewTask, request: Request, user: CurrentUser) -> dict[str, Any]:
    return await run_for_one(
        request,
        f"INSERT INTO tasks (user_id, title, description) VALUES (%s, %s, %s) RETURNING {COLUMNS}",
        (user, task.title, task.description),
    )


@router.get("/{task_id}")
async def get_task(task_id: TaskId, request: Request, user: CurrentUser) -> dict[str, Any]:
    return await run_for_one(
        request, f"SELECT {COLUMNS} FROM tasks WHERE id = %s AND user_id = %s", (task_id, user)
    )


@router.put("/{task_id}")
async def replace_task(
    task_id: TaskId, task: EditedTask, request: Request, user: CurrentUser
) -> dict[str, Any]:
    return await run_for_one(
        request,
        "UPDATE tasks SET title = %s, description = %s, completed = coalesce(%s, completed),"
        f" updated_at = now() WHERE id = %s AND user_id = %s RETURNING {COLUMNS}",
        (task.title, task.description, task.completed, task_id, user),
    )


@router.patch("/{task_id}/complete")
async def complete_task(
    task_id: TaskId, request: Request, user: CurrentUser, completion: Completion | None = None
) -> dict[str, Any]:
    return await run_for_one(
        request,
        "UPDATE tasks SET completed = %s, updated_at = now()"
        f" WHERE id = %s AND user_id = %s RETURNING {COLUMNS}",
        ((completion or Completion()).completed, task_id, user),
    )


@router.delete("/{task_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_task(task_id: TaskId, request: Request, user: CurrentUser) -> Response:
    await run_for_one(
        request, "DELETE FROM tasks WHERE id = %s AND user_id = %s RETURNING id", (task_id, user)
    )
    return Response(status_code=status.HTTP_204_NO_CONTENT)


async def run_for_one(request: Request, query: str, values: tuple[Any, ...]) -> dict[str, Any]:
    """Returns the one row of the statement; 404 when there is none."""
    async with request.app.state.pool.connection() as connection:
        cursor = await connection.execute(query, values)
        row = await cursor.fetchone()
    if row is None:
        raise HTTPException(404, "There is no such task.")
    return row
