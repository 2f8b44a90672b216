"""Lets uvicorn end without losing a request that it has been sent.

On SIGTERM uvicorn closes every connection that waits for its next request, at once. A caller that
uses such a connection again in that moment gets no answer, although its request has arrived; with
callers that keep their connections busy, as services in a cluster do, that happens on every roll-out.
Here a connection first gets the time to bring one more request: the answer says `Connection: close`,
after which no caller uses it again. What brings none is closed after LINGER seconds, as by the
keep-alive time-out. Callers that have connected are accepted before the listener closes, which would
reset them. The application knows nothing of this; delivery_drain.pth loads it with the interpreter.
"""

import asyncio
import select
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

# Callers give up connections of their own that were idle for about this long.
LINGER = 5.0
CLOSE = (b"connection", b"close")


def drain_before_shutdown(module: ModuleType) -> None:
    """Wraps what uvicorn does after SIGTERM; it goes on to do it, with connections that are busy or silent."""
    shutdown = module.Server.shutdown

    async def drain(self, sockets=None):  # type: ignore[no-untyped-def]
        started = seconds()
        listeners = [socket for server in self.servers for socket in server.sockets]
        while any(has_callers(listener) for listener in listeners) and seconds() < started + LINGER:
            await asyncio.sleep(0)
        for listener in (*self.servers, *(sockets or [])):
            listener.close()
        self.server_state.default_headers = [*self.server_state.default_headers, CLOSE]
        for connection in self.server_state.connections:
            if is_busy(connection):
                connection.cycle.default_headers = [*connection.cycle.default_headers, CLOSE]
        while seconds() < started + LINGER and not self.force_exit:
            if all(is_busy(connection) for connection in self.server_state.connections):
                break
            await asyncio.sleep(0.05)
        if self.config.timeout_graceful_shutdown is not None:
            self.config.timeout_graceful_shutdown -= seconds() - started
        await shutdown(self, sockets)

    module.Server.shutdown = drain


def seconds() -> float:
    return asyncio.get_running_loop().time()


def has_callers(listener: object) -> bool:
    """Returns whether callers have connected that are not accepted yet."""
    poll = select.poll()
    poll.register(listener, select.POLLIN)  # type: ignore[arg-type]
    return bool(poll.poll(0))


def is_busy(connection: object) -> bool:
    """Returns whether a request is being answered; connections without requests, as websockets, never are."""
    cycle = getattr(connection, "cycle", None)
    return cycle is not None and not cycle.response_complete


class AfterImport:
    """Changes the one module when somebody imports it: no process pays for a module that it does not use."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != "uvicorn.server":
            return None
        spec = PathFinder.find_spec(name, path)  # type: ignore[arg-type]
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def run_and_change(module: ModuleType) -> None:
            run(module)
            drain_before_shutdown(module)

        spec.loader.exec_module = run_and_change  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, AfterImport)
