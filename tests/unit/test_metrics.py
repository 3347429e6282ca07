"""Metrics: the contract's names, labels and buckets, as Prometheus would read them."""

import asyncio
import time

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from alerting.metrics import Metrics
from gateway.settings import Lane
from gateway.telling import GatewayMetrics
from gengfu.metrics import PrometheusMetrics

CONTRACT = {
    "gengfu_event_to_commit_seconds": set(),
    "gengfu_event_to_accepted_seconds": {"channel", "severity"},
    "gengfu_incidents_open": {"severity"},
    "gengfu_notifications_total": {"channel", "provider", "outcome"},
    "gengfu_quarantined_total": {"reason"},
    "gengfu_escalations_total": {"reason"},
    "gengfu_devices_offline": set(),
    "gengfu_intake_depth": {"lane"},
    "gengfu_loop_lag_seconds": set(),
    "gengfu_broker_dropped_total": set(),
    "gengfu_writer_hold_seconds": set(),
}


def samples(metrics: PrometheusMetrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by its name and labels."""
    text = generate_latest(metrics.registry).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def told() -> PrometheusMetrics:
    """Metrics that have been told one of everything."""
    metrics = PrometheusMetrics()
    alerting: Metrics = metrics
    gateway: GatewayMetrics = metrics
    alerting.event_committed(0.004)
    alerting.provider_accepted(0.2, "sms", 1)
    alerting.notification("sms", "twilio", "provider_accepted")
    alerting.quarantined("not_json")
    alerting.ignored("duplicate")
    alerting.escalated("unanswered")
    alerting.emergency()
    alerting.healed(2)
    gateway.intake_depth(Lane.ALARM, 7)
    gateway.broker_dropped(5)
    gateway.telemetry_dropped(3)
    gateway.connected(Lane.ALARM, True)
    gateway.handled(9)
    metrics.writer_held(0.003)
    metrics.set_open({1: 4}, 12)
    return metrics


def test_every_name_of_the_contract_is_there_with_its_labels() -> None:
    found: dict[str, set[str]] = {}
    for name, labels in samples(told()):
        plain = name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")
        found.setdefault(plain, set()).update({label for label, _ in labels} - {"le"})
    assert {name: found.get(name) for name in CONTRACT} == CONTRACT


def test_figures_arrive() -> None:
    now = samples(told())
    assert now["gengfu_event_to_commit_seconds_bucket", (("le", "0.005"),)] == 1
    assert now["gengfu_event_to_commit_seconds_bucket", (("le", "0.0025"),)] == 0
    accepted = (("channel", "sms"), ("le", "3.0"), ("severity", "1"))
    assert now["gengfu_event_to_accepted_seconds_bucket", accepted] == 1
    outcome = (("channel", "sms"), ("outcome", "provider_accepted"), ("provider", "twilio"))
    assert now["gengfu_notifications_total", outcome] == 1
    assert now["gengfu_intake_depth", (("lane", "alarm"),)] == 7
    assert now["gengfu_devices_offline", ()] == 12
    assert now["gengfu_incidents_open", (("severity", "1"),)] == 4


def test_a_severity_that_is_no_longer_open_goes_back_to_none() -> None:
    metrics = told()
    metrics.set_open({2: 1}, 0)
    now = samples(metrics)
    assert now["gengfu_incidents_open", (("severity", "1"),)] == 0
    assert now["gengfu_incidents_open", (("severity", "2"),)] == 1


def test_the_brokers_count_is_shown_as_it_is() -> None:
    metrics = told()
    assert samples(metrics)["gengfu_broker_dropped_total", ()] == 5
    metrics.broker_dropped(1)  # the broker has been restarted
    assert samples(metrics)["gengfu_broker_dropped_total", ()] == 1


async def test_a_blocked_loop_shows_as_lag() -> None:
    metrics = PrometheusMetrics()
    watching = asyncio.create_task(metrics.watch_loop(0.01))
    await asyncio.sleep(0)
    time.sleep(0.12)  # noqa: ASYNC251 - blocking the loop is the point
    await asyncio.sleep(0.02)
    watching.cancel()
    now = samples(metrics)
    late = now["gengfu_loop_lag_seconds_count", ()] - now["gengfu_loop_lag_seconds_bucket", (("le", "0.1"),)]
    assert late == 1


def test_two_of_them_do_not_share_a_registry() -> None:
    assert PrometheusMetrics().registry is not PrometheusMetrics().registry
