"""Turns what is wrong with settings into one sentence that names the key and the remedy. Never shows a value."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from gengfu.settings_model import ENVIRONMENT_PREFIX, NESTING, Settings

likeness_min = 0.8
"""How like a known key an unknown one must be to be taken for a slip (difflib's ratio)."""
OTHER_VARIABLES = frozenset({"config", "test_stop_at"})
"""Read from the environment, but no setting."""

_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a setting",
    "int_parsing": "is not a whole number",
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
    "bool_parsing": "is neither true nor false",
    "bool_type": "is neither true nor false",
    "string_type": "is not a text",
    "string_too_short": "is empty",
    "path_type": "is not a path",
    "model_type": "is not a table of keys and values",
    "tuple_type": "is not a list",
    "greater_than_equal": "is below {ge}",
    "less_than_equal": "is above {le}",
    "string_pattern_mismatch": "has other characters than letters, digits, - and _, or too many or too few of them",
    "string_too_long": "is longer than {max_length} characters",
    "enum": "is none of {expected}",
    "literal_error": "is none of {expected}",
}


class SettingsError(Exception):
    """One sentence: which key is wrong and what helps."""


def known_names(model: type[BaseModel] = Settings, prefix: str = "") -> Iterable[str]:
    """Every key in the environment's spelling, lower case and without `GENGFU_`: `twilio__auth_token`."""
    for name, field in model.model_fields.items():
        yield prefix + name
        nested = _model_of(field)
        if nested is not None:
            yield from known_names(nested, prefix + name + NESTING)


def check_variables(environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The variables that are settings (lower case, prefix kept), and warnings about `GENGFU_` variables that are none.

    SettingsError for one that is almost a setting.
    """
    known = set(known_names())
    ours: dict[str, str] = {}
    warnings = []
    for variable in sorted(environ):
        if not variable.upper().startswith(ENVIRONMENT_PREFIX) or not environ[variable]:
            continue
        name = variable[len(ENVIRONMENT_PREFIX) :].lower()
        if name in known:
            ours[ENVIRONMENT_PREFIX.lower() + name] = environ[variable]
        elif name not in OTHER_VARIABLES:
            meant = get_close_matches(name, [*known, *OTHER_VARIABLES], 1, likeness_min)
            if meant:
                right = ENVIRONMENT_PREFIX + meant[0].upper()
                raise SettingsError(f"{variable} in the environment is not a setting: write {right}, or remove it.")
            warnings.append(f"{variable} in the environment is not a setting and is ignored.")
    return ours, warnings


def sentence(fault: ValidationError, from_environment: Mapping[str, Any], file: str) -> str:
    """The first thing wrong as one sentence."""
    errors = fault.errors(include_input=False, include_url=False)
    first = next((error for error in errors if error["type"] == "extra_forbidden"), errors[0])
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    what = _what(first["type"], first["msg"], first.get("ctx", {}))
    keys = first["loc"]
    if not keys:
        return f"{what}{more}."
    return f"{_where(keys, from_environment, file)} {what}{_remedy(first['type'], keys)}{more}."


def variable_of(keys: Sequence[int | str]) -> str:
    return ENVIRONMENT_PREFIX + NESTING.join(str(key) for key in keys).upper()


def _what(kind: str, message: str, context: Mapping[str, Any]) -> str:
    if kind == "value_error":
        return str(context["error"])
    words = _WORDS.get(kind)
    return words.format(**context) if words else f"is wrong: {message[:1].lower()}{message[1:]}"


def _where(keys: Sequence[int | str], from_environment: Mapping[str, Any], file: str) -> str:
    """The key as its author wrote it: a variable's name, or a dotted key and the file."""
    dotted = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")
    if _is_set(keys, from_environment):
        inside = next((at for at, key in enumerate(keys) if isinstance(key, int)), len(keys))
        return variable_of(keys[:inside]) + (f" ({dotted})" if inside < len(keys) else "")
    if file:
        return f"{dotted} in {file}"
    return f"{dotted} ({variable_of(keys)})"


def _is_set(keys: Sequence[int | str], values: Any) -> bool:
    for key in keys:
        if isinstance(values, str):
            return True
        if not isinstance(values, Mapping) or key not in values:
            return False
        values = values[key]
    return True


def _remedy(kind: str, keys: Sequence[int | str]) -> str:
    if kind == "missing":
        return f": add it, or set {variable_of(keys)}" if all(isinstance(key, str) for key in keys) else ": add it"
    if kind != "extra_forbidden":
        return ""
    near = get_close_matches(str(keys[-1]), _siblings(keys), 1, 0.6)
    return f": write {near[0]}, or remove it" if near else ": remove it"


def _siblings(keys: Sequence[int | str]) -> list[str]:
    """The keys that may stand where this unknown one stands."""
    model: type[BaseModel] | None = Settings
    for key in keys[:-1]:
        if isinstance(key, str) and model is not None:
            field = model.model_fields.get(key)
            model = None if field is None else _model_of(field)
    return [] if model is None else list(model.model_fields)


def _model_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model that a field holds, perhaps optional or many of."""
    candidates = [field.annotation, *getattr(field.annotation, "__args__", ())]
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel)), None)
