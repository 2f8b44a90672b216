"""How gunicorn runs the backend; it finds this file in its working directory by itself."""

import os
import sys

from todo_backend.environment import SettingError
from todo_backend.logs import describe_logging
from todo_backend.settings import read_settings

# Read here too, so that a missing setting ends the start with its one sentence, before any worker.
try:
    settings = read_settings()
except SettingError as error:
    sys.exit(f"backend: {error}")

wsgi_app = "todo_backend.main:create_app()"
worker_class = "uvicorn_worker.UvicornWorker"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"
# Requests under way get this long after SIGTERM; Kubernetes kills 40 seconds after it.
graceful_timeout = 25
keepalive = 75
# Heartbeats are file times: in memory they cost nothing, and no other folder needs to be writable.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
control_socket_disable = True
logconfig_dict = describe_logging(settings.log_level)
