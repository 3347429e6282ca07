"""Documents tell the truth where a program can check it: links, settings, commands, words, examples. No style."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from alerting.core.model import Refusal, Work
from alerting.core.policy import DEFAULTS
from api.permissions import PREFIX, ROUTES, Role
from api.schemas.admin import PolicyIn
from api.schemas.devices import DeviceIn
from api.schemas.incidents import CloseIn, EmptyIn, NoteIn, VerifyIn
from api.schemas.people import ContactIn, PersonIn
from api.schemas.places import PlaceIn
from api.schemas.registry import GridIn, ShiftIn
from devices.decode import decode
from devices.signals import DecodeReason, RawMessage, Uplink
from gengfu.cli.app import app
from gengfu.clock import SystemClock
from gengfu.metrics import PrometheusMetrics
from gengfu.settings_model import Settings
from simulators.scenario import scenario_names
from tests.architecture.sources import ROOT, project_files
from tests.architecture.test_words import findings

ADMINISTRATOR = ("docs/administrator.md", "docs/zh-CN/administrator.md")
INSTALLER = ("docs/installer.md", "docs/zh-CN/installer.md")
OPERATOR = ("docs/operator.md", "docs/zh-CN/operator.md")
CARD = ("docs/installer-card.md", "docs/zh-CN/installer-card.md")
FIRST_HOUR = ("docs/first-hour.md", "docs/zh-CN/first-hour.md")
ROSTER = ("docs/roster.md", "docs/zh-CN/roster.md")
TWINS = (("README.md", "README.zh-CN.md"), ADMINISTRATOR, INSTALLER, OPERATOR, CARD, FIRST_HOUR, ROSTER)
REQUIRED = {"docs/administrator.md": "required", "docs/zh-CN/administrator.md": "必填"}

BODIES: dict[str, type[BaseModel]] = {
    "places": PlaceIn,
    "grids": GridIn,
    "workers": PersonIn,
    "workers/{id}/contacts": ContactIn,
    "shifts": ShiftIn,
    "devices": DeviceIn,
    "devices/{id}/credential": EmptyIn,
    "incidents/{id}/acknowledge": EmptyIn,
    "incidents/{id}/note": NoteIn,
    "incidents/{id}/verify": VerifyIn,
    "incidents/{id}/close": CloseIn,
}
"""What a `post` in a document sends where."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"(?:alerting|api|deploy|devices|docs|gateway|gengfu|scripts|simulators|tests)/[\w/.]+")
_POST = re.compile(r"\bpost (\S+) '([^']*)'")


def documents() -> list[str]:
    return [name for name in project_files() if name.endswith(".md")]


@cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose_of(name: str) -> str:
    """The text without its fenced blocks."""
    return _FENCE.sub("", text_of(name))


def blocks(name: str, language: str) -> list[str]:
    return [body for kind, body in _FENCE.findall(text_of(name)) if kind == language]


def words_in_code(name: str) -> set[str]:
    """What stands between backquotes, whole."""
    return set(_CODE.findall(prose_of(name)))


def anchors(name: str) -> set[str]:
    """Headings as GitHub addresses them: lower case, spaces to hyphens, punctuation gone."""
    headings = (re.sub(r"[`*]", "", heading).lower() for heading in _HEADING.findall(prose_of(name)))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


def has_anchor(target: Path, anchor: str) -> bool:
    return not anchor or target.suffix != ".md" or anchor in anchors(target.relative_to(ROOT).as_posix())


def broken_links(name: str) -> list[str]:
    """Links of one document to a file or a heading that is not there."""
    broken = []
    for link in _LINK.findall(prose_of(name)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        if not target.is_relative_to(ROOT) or not target.exists() or not has_anchor(target, anchor):
            broken.append(link)
    return broken


def test_every_link_leads_somewhere() -> None:
    assert len(documents()) > 20
    assert {name: links for name in documents() if (links := broken_links(name))} == {}


def test_every_file_that_is_named_exists() -> None:
    missing = {}
    for name in documents():
        paths = {word for word in words_in_code(name) if _PATH.fullmatch(word)}
        missing[name] = {path for path in paths if not (ROOT / path).exists()}
    assert sum(1 for name in documents() if _PATH.search(text_of(name))) > 5
    assert {name: paths for name, paths in missing.items() if paths} == {}


@pytest.mark.parametrize("name", TWINS[0])
def test_every_story_is_named(name: str) -> None:
    shown_there = text_of(name)
    assert {story for story in scenario_names() if story != "flat_fire" and story not in shown_there} == set()


def test_no_document_names_an_index_or_a_machine() -> None:
    assert {name: found for name in documents() if (found := findings(text_of(name)))} == {}


@pytest.mark.parametrize("twins", TWINS)
def test_twins_link_each_other_and_have_the_same_parts(twins: tuple[str, str]) -> None:
    english, chinese = twins
    assert f"[简体中文]({'' if '/' not in english else 'zh-CN/'}{chinese.rsplit('/', 1)[-1]})" in text_of(english)
    assert f"[English]({'' if '/' not in chinese else '../'}{english.rsplit('/', 1)[-1]})" in text_of(chinese)
    for shape in (r"^#+ ", r"^\|", r"^```\w"):
        found = [len(re.findall(shape, text_of(name), re.MULTILINE)) for name in twins]
        assert found[0] == found[1], f"{shape} stands {found} times"


def test_every_decision_stands_in_the_list() -> None:
    files = {name.rsplit("/", 1)[-1] for name in documents() if name.startswith("docs/decisions/0")}
    listed = [link for link in _LINK.findall(text_of("docs/decisions/README.md")) if link.startswith("0")]
    assert sorted(listed) == sorted(files)


# ---- Settings -----------------------------------------------------------------------------------------


def models_in(field: FieldInfo) -> list[type[BaseModel]]:
    """The tables that a setting holds: itself, optional, or many of them."""
    candidates = [field.annotation, *getattr(field.annotation, "__args__", ())]
    return [each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel)]


def settings_and_defaults(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, str | None]]:
    """Every key as the table names it, with its default as the table shows it; None: it must be given."""
    for name, field in model.model_fields.items():
        nested = models_in(field)
        if not nested or field.default == ():
            yield prefix + name, None if field.is_required() else shown(field.default)
        for each in nested:
            yield from settings_and_defaults(each, f"{prefix}{name}.")


def shown(value: object) -> str:
    if value is None or value == ():
        return "-"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def setting_rows(name: str) -> dict[str, str]:
    """Key -> default, from the rows of one document's table of settings."""
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.+?) \| .+ \|$", text_of(name), re.MULTILINE)
    return {key: default for key, default in rows if not key.startswith("gengfu_")}


@pytest.mark.parametrize("name", ADMINISTRATOR)
def test_every_setting_stands_in_the_table_with_its_default(name: str) -> None:
    expected = {key: default or REQUIRED[name] for key, default in settings_and_defaults()}
    assert len(expected) > 30
    assert setting_rows(name) == expected


@pytest.mark.parametrize("name", ADMINISTRATOR)
def test_every_metric_is_explained(name: str) -> None:
    metrics = PrometheusMetrics().registry.collect()
    ours = {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in metrics
        if metric.name.startswith("gengfu_")
    }
    assert ours - words_in_code(name) == set()


# ---- Commands -----------------------------------------------------------------------------------------


def command_names() -> set[str]:
    """`gengfu db upgrade` and all others, as typed."""

    def walk(command: Any, path: str) -> Iterator[str]:
        children = getattr(command, "commands", None)
        if children is None:
            yield path
        for name, child in (children or {}).items():
            yield from walk(child, f"{path} {name}")

    return set(walk(typer.main.get_command(app), "gengfu"))


def test_every_command_is_shown_somewhere() -> None:
    everything = "\n".join(text_of(name) for name in documents())
    missing = {name for name in command_names() if not re.search(rf"\b{name}\b", everything)}
    assert len(command_names()) > 12
    assert missing == set()


def test_every_command_in_a_document_exists() -> None:
    known = command_names()
    groups = {name.rsplit(" ", 1)[0] for name in known}
    written = set()
    for name in documents():
        shell = "\n".join([*blocks(name, "sh"), *_CODE.findall(prose_of(name))])
        written |= set(re.findall(r"(?:^|[\s(]|bin/)(gengfu [a-z]+(?: [a-z]+)?)", shell))
    unknown = {each for each in written if each not in known | groups and each.rsplit(" ", 1)[0] not in known}
    assert unknown == set()


# ---- HTTP ---------------------------------------------------------------------------------------------


def test_every_resource_and_role_is_in_the_tour() -> None:
    tour = text_of("docs/api.md")
    nouns = {route.split(" ")[1].removeprefix(f"{PREFIX}/").split("/")[0] for route in ROUTES}
    assert {noun for noun in nouns if f"`{noun}" not in tour} == set()
    acts = {route.rsplit("/", 1)[1] for route in ROUTES if route.startswith(f"POST {PREFIX}/incidents/")}
    assert (acts | {role.value for role in Role}) - words_in_code("docs/api.md") == set()


@pytest.mark.parametrize("name", [*(twin for twins in TWINS for twin in twins)])
def test_what_a_document_posts_is_a_body_that_the_route_takes(name: str) -> None:
    for path, body in _POST.findall("\n".join(blocks(name, "sh"))):
        parts = path.split("/")
        template = "/".join([parts[0], "{id}", parts[2]]) if len(parts) == 3 else path
        assert f"POST {PREFIX}/{template}" in ROUTES, path
        BODIES[template].model_validate_json(body)


def test_the_readme_posts_something() -> None:
    assert len(_POST.findall(text_of("README.md"))) >= 8


# ---- Words and examples -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPERATOR)
def test_every_state_and_refusal_is_explained(name: str) -> None:
    internal = {Refusal.UNKNOWN_INCIDENT, Refusal.NOT_PAGED}  # both are 404 to the caller
    words = {word.value for word in Work} | {word.value for word in Refusal if word not in internal}
    assert words - words_in_code(name) == set()


@pytest.mark.parametrize("name", INSTALLER)
def test_every_reason_a_device_may_hear_is_explained(name: str) -> None:
    reasons = {reason.value for reason in DecodeReason if reason is not DecodeReason.RETAINED_EVENT}
    assert reasons - words_in_code(name) == set()


@pytest.mark.parametrize("name", INSTALLER)
def test_every_event_in_an_example_can_be_read(name: str) -> None:
    bodies = [line for block in blocks(name, "json") for line in block.splitlines() if '"state"' in line]
    bodies += re.findall(r"-m '(\{.*\"state\".*\})'", text_of(name))
    assert len(bodies) == 2
    for body in bodies:
        raw = RawMessage("gengfu/v1/smoke-0001/up/event", body.encode(), SystemClock().now())
        assert isinstance(decode(raw), Uplink), body


def test_every_policy_in_an_example_is_taken() -> None:
    examples = [json.loads(block) for block in blocks("docs/policies.md", "json")]
    assert len(examples) == 3
    for example in examples:
        PolicyIn.model_validate(example)


def test_every_default_policy_is_described() -> None:
    assert {policy.name for policy in DEFAULTS} - words_in_code("docs/policies.md") == set()


def test_the_checks_see_what_they_look_for() -> None:
    assert "what-can-be-lost-and-when" in anchors("docs/administrator.md")
    assert "登记一个探测器" in anchors("README.zh-CN.md")
    assert _LINK.findall("see [a](b.md#c) and ![image](d.png)") == ["b.md#c"]
    assert "gengfu db upgrade" in command_names()
    assert ("twilio.ring_s", "`25`") in set(settings_and_defaults())
