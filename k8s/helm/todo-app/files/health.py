"""Asks each service named in the arguments whether it is ready; ends with status 1 where one is not within half a minute."""

import sys
import time
import urllib.error
import urllib.request

deadline = time.monotonic() + 30


def ask(address: str) -> str:
    """Returns what the service answered, or why there is no answer."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return f"{answer.status} {answer.read(200).decode(errors='replace').strip()}"
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read(200).decode(errors='replace').strip()}"
    except OSError as error:
        return f"no answer: {error}"


failed = []
for address in sys.argv[1:]:
    said = ask(address)
    while not said.startswith("200 ") and time.monotonic() < deadline:
        time.sleep(1)
        said = ask(address)
    print(f"{address} -> {said}", flush=True)
    if not said.startswith("200 "):
        failed.append(address)
sys.exit(f"not ready: {', '.join(failed)}" if failed else 0)
