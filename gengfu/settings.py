"""Settings from `gengfu.toml` (or `GENGFU_CONFIG`), then `GENGFU_*`. Refuses what it does not know, shows no secret."""

import logging
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource
from pydantic_settings.exceptions import SettingsError as UnreadableVariable

from gengfu.settings_faults import SettingsError, check_variables, sentence
from gengfu.settings_model import (
    ENVIRONMENT_PREFIX,
    NESTING,
    RetentionOptions,
    Settings,
    SourceOptions,
)
from gengfu.settings_twilio import TwilioOptions

__all__ = ["RetentionOptions", "Settings", "SettingsError", "SourceOptions", "TwilioOptions", "load_settings"]

FILE_NAME = "gengfu.toml"
FILE_VARIABLE = "GENGFU_CONFIG"

logger = logging.getLogger(__name__)


def load_settings(environ: Mapping[str, str], cwd: Path, *, warn: Callable[[str], None] = logger.warning) -> Settings:
    """The settings in force: the environment's over the file's over the defaults.

    The file is the one `GENGFU_CONFIG` names (it must exist), else `gengfu.toml` in `cwd` if there is one. `warn` gets
    a sentence for each `GENGFU_` variable that means nothing. SettingsError: one sentence with the key and the remedy.
    """
    file = _file(environ, cwd)
    from_file = {} if file is None else _read(file)
    variables, warnings = check_variables(environ)
    from_environment = _nested(variables)
    try:
        settings = Settings(**_over(from_file, from_environment))
    except ValidationError as fault:
        raise SettingsError(sentence(fault, from_environment, "" if file is None else str(file))) from None
    for warning in warnings:
        warn(warning)
    return settings


def _file(environ: Mapping[str, str], cwd: Path) -> Path | None:
    named = environ.get(FILE_VARIABLE)
    if named:
        file = cwd / named
        if not file.is_file():
            raise SettingsError(f"{FILE_VARIABLE} names {file}, which is no file: correct it, or unset it.")
        return file
    file = cwd / FILE_NAME
    return file if file.is_file() else None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as fault:
        raise SettingsError(f"{file} cannot be read: {fault.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8: save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as fault:
        place = re.search(r"\(at .*\)$", str(fault))  # the rest of the message may quote a secret
        raise SettingsError(f"{file} is not TOML {place.group() if place else ''}".rstrip() + ": correct it.") from None


def _nested(variables: Mapping[str, str]) -> dict[str, Any]:
    """Variables as nested values, by pydantic-settings' own rules."""
    source = EnvSettingsSource(Settings, env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter=NESTING)
    source.env_vars = variables
    try:
        return source()
    except UnreadableVariable as fault:
        field = re.search(r'field "(\w+)"', str(fault))
        name = ENVIRONMENT_PREFIX + (field.group(1).upper() if field else "*")
        raise SettingsError(f"{name} is not JSON: set its parts one by one, as {name}{NESTING}NAME.") from None


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`, table by table."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged
