"""One JSON object a line on standard output: the same file in every service."""

import json
import logging
import logging.config
import sys
from datetime import UTC, datetime
from typing import Any

from . import SERVICE

# Probes ask every few seconds; their answers would bury everything else.
PROBE_PATHS = ("/health", "/ready")

# Libraries that tell every request at info, some with what a person wrote in it.
TALKATIVE = ("httpx", "httpx2", "mcp", "openai", "psycopg.pool")


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": SERVICE,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.name == "uvicorn.access" and isinstance(record.args, tuple):
            client, method, target, _, status = record.args
            # The query is left out: it may carry what a person typed.
            entry |= {"method": method, "path": str(target).partition("?")[0], "status": status}
            entry["message"] = f"{method} {entry['path']} {status}"
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)


def is_worth_logging(record: logging.LogRecord) -> bool:
    """Returns False for the successful answer to a probe."""
    if record.name != "uvicorn.access" or not isinstance(record.args, tuple):
        return True
    target, status = str(record.args[2]), record.args[4]
    return target not in PROBE_PATHS or status != 200


def describe_logging(level: str) -> dict[str, Any]:
    """Returns the logging configuration for dictConfig, gunicorn and uvicorn alike."""
    own = {"level": level, "handlers": ["stdout"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "filters": {"probes": {"()": lambda: is_worth_logging}},
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "stream": sys.stdout,
                "formatter": "json",
                "filters": ["probes"],
            }
        },
        "root": {"level": level, "handlers": ["stdout"]},
        "loggers": {
            **{name: own for name in ("gunicorn.error", "uvicorn", "uvicorn.access")},
            **{name: {"level": "WARNING"} for name in TALKATIVE},
        },
    }


def start_logging(level: str) -> None:
    logging.config.dictConfig(describe_logging(level))
