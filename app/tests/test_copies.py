"""The services are built from folders of their own, so two small files exist three times."""

from pathlib import Path

import pytest

APP = Path(__file__).parent.parent


@pytest.mark.parametrize("name", ["environment.py", "logs.py"])
@pytest.mark.parametrize("package", ["mcp-server/todo_mcp", "ai-agent/todo_agent"])
def test_a_shared_file_is_the_same_everywhere(package, name):
    assert (APP / package / name).read_text() == (APP / "backend/todo_backend" / name).read_text()
