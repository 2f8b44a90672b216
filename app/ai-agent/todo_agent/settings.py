"""Everything the service is told from outside, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .environment import read_count, read_secret


@dataclass(frozen=True)
class Settings:
    mcp_url: str
    model_url: str
    model_key: str
    model: str
    log_level: str
    host: str
    port: int


def read_settings(env: Mapping[str, str] = os.environ) -> Settings:
    return Settings(
        mcp_url=env.get("MCP_SERVER_URL", "http://mcp-service:8001/mcp"),
        model_url=env.get("OPENAI_BASE_URL") or "https://api.openai.com/v1",
        model_key=read_secret(env, "OPENAI_API_KEY"),
        model=env.get("OPENAI_MODEL") or "gpt-4o-mini",
        log_level=env.get("LOG_LEVEL", "info").upper(),
        host=env.get("HOST", "0.0.0.0"),
        port=read_count(env, "PORT", 8002),
    )
