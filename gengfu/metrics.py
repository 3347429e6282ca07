"""The figures, for Prometheus: adapts what alerting and gateway tell to the contract's metric names. Never decides."""

import asyncio
from collections.abc import Iterable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.settings import Lane

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0)
"""1 ms to 30 s, with the product's own limits in it: 25 ms and 100 ms, the target of 3 s, the ceiling of 5 s."""
HOLD_BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0)
"""20 ms is what a writer may hold the database for."""
LAG_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
SEVERITIES = range(1, 6)
lag_every_s = 0.5

# `_created` series double every counter and histogram and nobody reads them.
disable_created_metrics()  # type: ignore[no-untyped-call]


class _BrokerDropped(Collector):
    """The broker's own count, passed on as it is: neither our restart nor the broker's makes a jump of it."""

    def __init__(self) -> None:
        self.total = 0

    def collect(self) -> Iterable[Metric]:
        text = "Messages the broker threw away since its start, by its own count"
        yield CounterMetricFamily("gengfu_broker_dropped", text, value=self.total)


class PrometheusMetrics:
    """`alerting.metrics.Metrics` and `gateway.telling.GatewayMetrics` over one registry, by default its own.

    Every method returns at once and may be called from any thread. Durations are seconds.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        self._dropped = _BrokerDropped()
        self.registry.register(self._dropped)
        ProcessCollector(registry=self.registry)  # memory, processor time, open files
        self._make_durations()
        self._make_counters()
        self._make_gauges()

    def _make_durations(self) -> None:
        registry = self.registry
        self._committed = Histogram(
            "gengfu_event_to_commit_seconds",
            "Received from the broker to committed",
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._accepted = Histogram(
            "gengfu_event_to_accepted_seconds",
            "Received from the broker to accepted by the provider",
            ("channel", "severity"),
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._hold = Histogram(
            "gengfu_writer_hold_seconds",
            "How long one write held the database's writer",
            buckets=HOLD_BUCKETS_S,
            registry=registry,
        )
        self._canary = Histogram(
            "gengfu_canary_seconds",
            "A canary alarm, from its publication to the loop-back provider",
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._lag = Histogram(
            "gengfu_loop_lag_seconds", "How late the event loop woke up", buckets=LAG_BUCKETS_S, registry=registry
        )

    def _make_counters(self) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=self.registry)

        self._notifications = counter(
            "gengfu_notifications", "Answers of providers to attempts", "channel", "provider", "outcome"
        )
        self._quarantined = counter("gengfu_quarantined", "Messages that could not be read or placed", "reason")
        self._escalations = counter("gengfu_escalations", "Steps taken because nobody had taken the incident", "reason")
        self._marked = counter("gengfu_incidents_marked", "Overlays put on incidents", "overlay")
        self._ignored = counter("gengfu_ignored", "Messages that changed nothing", "reason")
        self._emergencies = counter("gengfu_emergencies", "Fires sent from memory because they could not be committed")
        self._healed = counter("gengfu_healed_incidents", "Open incidents found without anything due, and put right")
        self._drill_notifications = counter(
            "gengfu_drill_notifications", "Answers of providers in exercises", "channel", "outcome"
        )
        self._drill_escalations = counter("gengfu_drill_escalations", "Steps taken in exercises", "reason")
        self._commands = counter("gengfu_commands", "Commands to devices, by how they ended", "action", "state")
        self._canary_misses = counter("gengfu_canary_misses", "Canary alarms that never came through")
        self._violations = counter(
            "gengfu_invariant_violations", "What the watcher found undone past its time, and put right", "what"
        )
        self._callbacks = counter(
            "gengfu_callbacks", "Callbacks of providers, by what became of them", "provider", "outcome"
        )
        self._passed_on = counter(
            "gengfu_passed_on", "Messages that went on to this carrier", "channel", "provider", "reason"
        )
        self._over_budget = counter(
            "gengfu_budget_spent", "Messages for which every carrier's limit was spent", "channel", "urgency"
        )
        self._handled = counter("gengfu_messages_handled", "Messages whose fate has been committed")
        self._telemetry_dropped = counter("gengfu_telemetry_dropped", "Telemetry thrown away here, oldest first")

    def _make_gauges(self) -> None:
        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, labels, registry=self.registry)

        self._open = gauge("gengfu_incidents_open", "Incidents that are not closed", "severity")
        self._offline = gauge("gengfu_devices_offline", "Devices that have been silent for too long")
        self._depth = gauge("gengfu_intake_depth", "Messages received and not yet handed over", "lane")
        self._connected = gauge("gengfu_broker_connected", "1 while the lane's subscriptions are in force", "lane")
        self._provider_ready = gauge("gengfu_provider_ready", "1 while a provider's account can be used", "provider")
        self._breakers = gauge(
            "gengfu_carrier_breaker", "0 closed, 1 half open, 2 open: left alone for a while", "channel", "provider"
        )
        for severity in SEVERITIES:
            self._open.labels(str(severity)).set(0)
        for lane in Lane:
            self._depth.labels(lane.value).set(0)
            self._connected.labels(lane.value).set(0)

    def event_committed(self, seconds: float) -> None:
        self._committed.observe(seconds)

    def provider_accepted(self, seconds: float, channel: str, severity: int) -> None:
        self._accepted.labels(channel, str(severity)).observe(seconds)

    def notification(self, channel: str, provider: str, outcome: str) -> None:
        self._notifications.labels(channel, provider, outcome).inc()

    def quarantined(self, reason: str) -> None:
        self._quarantined.labels(reason).inc()

    def ignored(self, reason: str) -> None:
        self._ignored.labels(reason).inc()

    def escalated(self, reason: str) -> None:
        self._escalations.labels(reason).inc()

    def marked(self, overlay: str) -> None:
        self._marked.labels(overlay).inc()

    def emergency(self) -> None:
        self._emergencies.inc()

    def commanded(self, action: str, state: str) -> None:
        self._commands.labels(action, state).inc()

    def healed(self, incidents: int) -> None:
        self._healed.inc(incidents)

    def violated(self, what: str, number: int) -> None:
        self._violations.labels(what).inc(number)

    def drill_notification(self, channel: str, outcome: str) -> None:
        self._drill_notifications.labels(channel, outcome).inc()

    def drill_escalated(self, reason: str) -> None:
        self._drill_escalations.labels(reason).inc()

    def breaker(self, channel: str, provider: str, word: str) -> None:
        self._breakers.labels(channel, provider).set({"closed": 0, "half_open": 1}.get(word, 2))

    def passed_on(self, channel: str, provider: str, reason: str) -> None:
        self._passed_on.labels(channel, provider, reason).inc()

    def budget_refused(self, channel: str, urgency: int) -> None:
        self._over_budget.labels(channel, str(urgency)).inc()

    def canary(self, seconds: float) -> None:
        self._canary.observe(max(0.0, seconds))

    def canary_missed(self) -> None:
        self._canary_misses.inc()

    def callback(self, provider: str, outcome: str) -> None:
        """A provider called back."""
        self._callbacks.labels(provider, outcome).inc()

    def intake_depth(self, lane: Lane, n: int) -> None:
        self._depth.labels(lane.value).set(n)

    def broker_dropped(self, n: int) -> None:
        self._dropped.total = n

    def telemetry_dropped(self, n: int) -> None:
        self._telemetry_dropped.inc(n)

    def connected(self, lane: Lane, up: bool) -> None:
        self._connected.labels(lane.value).set(1 if up else 0)

    def handled(self, n: int) -> None:
        self._handled.inc(n)

    def provider_ready(self, provider: str, ready: bool) -> None:
        """As its account was last seen."""
        self._provider_ready.labels(provider).set(int(ready))

    def writer_held(self, seconds: float) -> None:
        """One write has let go of the database's writer."""
        self._hold.observe(seconds)

    def set_open(self, incidents: Mapping[int, int], devices_offline: int) -> None:
        """How things stand now: open incidents by severity (one that is not named has none), silent devices."""
        for severity in {*SEVERITIES, *incidents}:
            self._open.labels(str(severity)).set(incidents.get(severity, 0))
        self._offline.set(devices_offline)

    async def watch_loop(self, every_s: float = lag_every_s) -> None:
        """Until cancelled: how much later than asked the event loop wakes up."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + every_s
            await asyncio.sleep(every_s)
            self._lag.observe(max(0.0, loop.time() - due))
