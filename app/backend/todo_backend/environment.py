"""Reads what comes from the environment: the same file in every service, which share no package."""

from collections.abc import Mapping
from pathlib import Path


class SettingError(Exception):
    """A setting is missing or cannot be used; the message names it and the remedy."""


def read_secret(env: Mapping[str, str], name: str) -> str:
    """Returns the value of NAME, or of the file that NAME_FILE names."""
    path = env.get(f"{name}_FILE")
    if path:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise SettingError(f"{name}_FILE names {path}: {error.strerror}.") from error
    else:
        value = env.get(name, "")
    if not value:
        raise SettingError(f"{name} is not set: set it, or let {name}_FILE name a file with it.")
    return value


def read_count(env: Mapping[str, str], name: str, default: int) -> int:
    value = env.get(name, "") or str(default)
    if not value.isdecimal() or int(value) < 1:
        raise SettingError(f"{name} is {value!r}: it must be a whole number, 1 or more.")
    return int(value)
