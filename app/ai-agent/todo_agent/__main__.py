"""python -m todo_agent"""

import sys

import uvicorn

from .environment import SettingError
from .logs import describe_logging
from .main import create_app
from .settings import read_settings

# Requests under way get this long after SIGTERM; Kubernetes kills 40 seconds after it.
GRACE_SECONDS = 25


def main() -> None:
    try:
        settings = read_settings()
    except SettingError as error:
        sys.exit(f"ai-agent: {error}")
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=describe_logging(settings.log_level),
        timeout_graceful_shutdown=GRACE_SECONDS,
        server_header=False,
    )


main()
