"""The tools that an agent has: the only way from a model to the tasks of a user."""

SERVICE = "mcp-server"
