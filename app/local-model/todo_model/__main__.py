"""python -m todo_model"""

import os
import signal
import threading

from .server import Handler, Server, log


def main() -> None:
    address = (os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8003")))
    server = Server(address, Handler)
    # shutdown() waits for the loop below, so it cannot be called on the thread of that loop.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    log("info", f"listening on {address[0]}:{address[1]}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    server.server_close()
    log("info", "stopped")


main()
