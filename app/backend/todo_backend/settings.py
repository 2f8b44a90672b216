"""Everything the service is told from outside, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .environment import SettingError, read_count, read_secret

# HS256 keys shorter than the hash itself can be guessed (RFC 7518, section 3.2).
SHORTEST_SECRET = 32


@dataclass(frozen=True)
class Settings:
    database_url: str
    auth_secret: str
    agent_url: str
    cors_origins: tuple[str, ...]
    pool_size: int
    log_level: str


def read_settings(env: Mapping[str, str] = os.environ) -> Settings:
    auth_secret = read_secret(env, "AUTH_SECRET")
    if len(auth_secret.encode()) < SHORTEST_SECRET:
        raise SettingError(f"AUTH_SECRET is too short: give it at least {SHORTEST_SECRET} bytes.")
    origins = (origin.strip() for origin in env.get("CORS_ORIGINS", "").split(","))
    return Settings(
        database_url=read_secret(env, "DATABASE_URL"),
        auth_secret=auth_secret,
        agent_url=env.get("AI_AGENT_URL", "http://ai-agent-service:8002").rstrip("/"),
        cors_origins=tuple(origin for origin in origins if origin),
        pool_size=read_count(env, "DATABASE_POOL_SIZE", 5),
        log_level=env.get("LOG_LEVEL", "info").upper(),
    )
