"""Everything the service is told from outside, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .environment import read_count, read_secret


@dataclass(frozen=True)
class Settings:
    database_url: str
    pool_size: int
    log_level: str
    host: str
    port: int


def read_settings(env: Mapping[str, str] = os.environ) -> Settings:
    return Settings(
        database_url=read_secret(env, "DATABASE_URL"),
        pool_size=read_count(env, "DATABASE_POOL_SIZE", 5),
        log_level=env.get("LOG_LEVEL", "info").upper(),
        host=env.get("HOST", "0.0.0.0"),
        port=read_count(env, "PORT", 8001),
    )
