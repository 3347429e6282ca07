"""Readiness in one process: what workers are asked for, who looks at the accounts, who plans the daily message. Judges
nothing itself."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerting.answer_links import AnswerLinks
from alerting.carriers import Carriers
from alerting.core.readiness import Configured
from alerting.ports import Clock, Conflict, Database, Ids
from alerting.self_tests import SelfTests
from alerting.service import Service
from api.contact_card import ContactCard, distinct
from devices.model import AppCarrier, Channel
from gengfu.database import RunningDatabase
from gengfu.metrics import PrometheusMetrics
from gengfu.provider_watch import WAKE_CHECK, ProviderWatch

if TYPE_CHECKING:
    from gengfu.application import AppConfig

log = logging.getLogger(__name__)

WHITE_LISTS = ("aliyun", "tencent")
"""Vendors that let only so many messages through to one number, unless it stands on their list."""
PHONE_VENDORS = ("twilio", "aliyun", "tencent", "sns")
self_tests_look_s = 30.0
_NUMBERS = ("from_number", "show_number")
"""Settings of vendors that hold a number from which they call or text."""


class Checks:
    """Wakes whoever looks at the providers' accounts, here or in another process."""

    def __init__(self, watch: ProviderWatch | None, notify: Callable[[Connection, str], None]) -> None:
        self._watch = watch
        self._notify = notify

    def tell(self, conn: Connection) -> None:
        self._notify(conn, WAKE_CHECK)

    def wake(self) -> None:
        if self._watch is not None:
            self._watch.ask()


class Readiness:
    """Of one process."""

    def __init__(self, config: "AppConfig", ids: Ids, metrics: PrometheusMetrics) -> None:
        self._config = config
        self._ids = ids
        self._metrics = metrics
        self._links = AnswerLinks(config.secret_key, config.public_url)
        self._carriers: Carriers | None = None
        self._watch: ProviderWatch | None = None

    def begin(
        self, database: Database, clock: Clock, carriers: Carriers, service: Service
    ) -> dict[str, Coroutine[Any, Any, None]]:
        """What runs beside the service: a look at the accounts it sends over; in the worker role, the daily message
        that must be tapped."""
        self._carriers = carriers
        self._watch = ProviderWatch(database, clock, carriers, self._metrics)
        works = {"provider watch": self._watch.run()}
        hour = self._config.self_test_hour
        if hour is not None and "worker" in self._config.roles:
            tests = self_tests_of(self._config, database, clock, self._ids, hour)
            works["self tests"] = run_self_tests(tests, service)
        return works

    async def hear_others(self, database: RunningDatabase) -> None:
        """Other processes may ask for a look."""
        if self._watch is not None and database.dialect == "postgresql":
            await database.listen(WAKE_CHECK, self._watch.ask)

    def provider(self) -> bool | str:
        """The part `provider` of /readyz: True, or what is wrong."""
        if not any(name in self._config.vendors for name in PHONE_VENDORS):
            return "no SMS and call provider is configured: set GENGFU_TWILIO__ACCOUNT_SID"
        return (self._watch.fault() if self._watch is not None else None) or True

    def deps(self, notify: Callable[[Connection, str], None]) -> dict[str, Any]:
        """What `api.deps.Deps` gets."""
        card = card_of(self._config.vendors, self._config.caller_name, self._config.caller_numbers)
        self_tests = self._config.self_test_hour is not None
        found: dict[str, Any] = {
            "readiness": configured_of(
                self._config.vendors, self_tests=self_tests, numbers=card.numbers, links=bool(self._config.public_url)
            ),
            "card": card,
            "links": self._links,
            "checks": Checks(self._watch, notify),
        }
        return found if self._carriers is None else found | {"budget": partial(budget_of, self._carriers)}


def self_tests_of(config: "AppConfig", database: Database, clock: Clock, ids: Ids, hour: int) -> SelfTests:
    """To every phone that this deployment can reach, with links where phones can reach us."""
    return SelfTests(
        database,
        clock,
        ids,
        config.core,
        hour,
        carriers=[each.value for each in AppCarrier if each.value in config.vendors],
        link=AnswerLinks(config.secret_key, config.public_url).test_link,
    )


async def run_self_tests(tests: SelfTests, service: Service) -> None:
    """Until cancelled: plan them when their hour comes, and have them sent."""
    while True:
        try:
            if await tests.run_due():
                service.wake()
        except (SQLAlchemyError, OSError, Conflict) as fault:
            log.warning("self-test messages wait for the database: %s", type(fault).__name__)
        await asyncio.sleep(self_tests_look_s)


def configured_of(
    vendors: Mapping[str, object], *, self_tests: bool, numbers: tuple[str, ...], links: bool = True
) -> Configured:
    return Configured(
        white_lists=tuple(name for name in WHITE_LISTS if name in vendors),
        work_apps=tuple(each.value for each in AppCarrier if each is not AppCarrier.WEBPUSH and each.value in vendors),
        push="webpush" in vendors,
        self_tests=self_tests,
        card=bool(numbers),
        links=links,
    )


def card_of(vendors: Mapping[str, object], name: str, numbers: tuple[str, ...]) -> ContactCard:
    """Every caller number and sender that settings know; a messaging service (MG...) is none."""
    found: list[Any] = [getattr(each, setting, None) for each in vendors.values() for setting in _NUMBERS]
    known = [number for number in found if isinstance(number, str) and number.lstrip("+").isdecimal()]
    return ContactCard(distinct([*known, *numbers]), name)


def budget_of(carriers: Carriers, channel: Channel, address: str, now: datetime) -> tuple[tuple[str, int | None], ...]:
    """Carrier -> messages of life safety that it still takes for this number."""
    return tuple((left.provider, left.left_for_life_safety) for left in carriers.budget(channel, address, now))
