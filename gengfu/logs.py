"""Structured logs, configured in this one place. Neither telephone numbers nor secrets ever get out of here."""

import logging
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal, TextIO

from pythonjsonlogger.json import JsonFormatter

from alerting.channels.mask import masked

HIDDEN = "***"
secret_chars_min = 6
"""Shorter ones would blank out ordinary words."""

QUIET: Mapping[str, int] = {
    "aiohttp": logging.WARNING,
    "alembic": logging.WARNING,
    "amqtt": logging.ERROR,
    "asyncio": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "transitions": logging.WARNING,
    "twilio": logging.WARNING,
    "urllib3": logging.WARNING,
    "uvicorn": logging.WARNING,
    "uvicorn.access": logging.WARNING,
    "uvicorn.error": logging.WARNING,
}
"""Libraries that talk more than an operator wants to read."""

# International form (+86..., %2B86..., 0086...), or eleven digits as mobile numbers are written in China.
_PHONE = re.compile(
    r"(?:(?:\+|%2B)|(?<![0-9A-Za-z])00)[1-9][0-9]{6,14}(?![0-9])|(?<![0-9A-Za-z.])(?:86)?1[0-9]{10}(?![0-9A-Za-z])"
)
_URL_PASSWORD = re.compile(r"(?<=://)([^\s/:@]*):[^\s/@]+@")
_API_KEY = re.compile(r"gf_[A-Za-z0-9_-]{43}")
_PLAIN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}
_COLOURS = {"WARNING": "33", "ERROR": "31", "CRITICAL": "1;31", "DEBUG": "2"}


class Mask:
    """Takes telephone numbers, passwords in URLs, API keys and the given secrets out of whatever is logged."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= secret_chars_min}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        """The text with every such part replaced."""
        if self._secrets is not None:
            text = self._secrets.sub(HIDDEN, text)
        text = _URL_PASSWORD.sub(rf"\1:{HIDDEN}@", text)
        text = _API_KEY.sub(HIDDEN, text)
        return _PHONE.sub(lambda match: masked(_international(match.group())), text)

    def value(self, value: Any) -> Any:
        """The same within lists and mappings, keys included; a whole number that is a telephone number becomes text."""
        if isinstance(value, bool) or value is None or isinstance(value, float):
            return value
        if isinstance(value, int):
            text = self.text(str(value))
            return value if text == str(value) else text
        if isinstance(value, Mapping):
            return {self.value(key): self.value(each) for key, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(each) for each in value]
        return self.text(str(value))


def _international(number: str) -> str:
    """`%2B86138...`, `0086138...`, `86138...` and `138...` as `+86138...`."""
    digits = number.removeprefix("%2B").removeprefix("+")
    if digits.startswith("00"):
        digits = digits[2:]
    return "+" + (digits if digits.startswith("86") else f"86{digits}" if number == digits else digits)


class JsonLines(JsonFormatter):
    """A JSON object per line: time (UTC), level, logger, message, and every extra under its own name."""

    def __init__(self, mask: Mask) -> None:
        super().__init__(json_ensure_ascii=False)
        self._mask = mask

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        at = datetime.fromtimestamp(record.created, UTC)
        log_data["time"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        log_data["level"] = record.levelname.lower()
        log_data["logger"] = record.name
        log_data["message"] = record.message
        log_data.update(_extras(record))
        for key in ("exc_info", "stack_info"):
            if message_dict.get(key):
                log_data[key] = message_dict[key]

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        at = log_data.pop("time")
        return {"time": at, **self._mask.value(log_data)}


class Lines(logging.Formatter):
    """A line for people: local time, level, logger, message, extras as key=value; a traceback below it."""

    def __init__(self, mask: Mask, zone: tzinfo, colour: bool) -> None:
        super().__init__()
        self._mask = mask
        self._zone = zone
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, self._zone)
        extras = "".join(f" {key}={value}" for key, value in _extras(record).items())
        said = f"{record.levelname:<7} {record.name}: {record.getMessage()}{extras}"
        if record.exc_info:
            said += f"\n{self.formatException(record.exc_info)}"
        if record.stack_info:
            said += f"\n{self.formatStack(record.stack_info)}"
        said = self._mask.text(said)
        colour = _COLOURS.get(record.levelname) if self._colour else None
        time = f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"
        return f"{time} \x1b[{colour}m{said}\x1b[0m" if colour else f"{time} {said}"


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {key: value for key, value in vars(record).items() if key not in _PLAIN_FIELDS}


def configure(
    log_format: Literal["json", "text"] = "text",
    level: str = "info",
    *,
    secrets: Iterable[str] = (),
    zone: tzinfo = UTC,
    stream: TextIO | None = None,
) -> None:
    """Send every log of this process to `stream` (standard error) in one format; replaces what was set before.

    Start uvicorn with `log_config=None`, or it undoes this.
    """
    out = sys.stderr if stream is None else stream
    mask = Mask(secrets)
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines(mask) if log_format == "json" else Lines(mask, zone, out.isatty()))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name, quiet in QUIET.items():
        logging.getLogger(name).setLevel(quiet)
    logging.captureWarnings(True)
