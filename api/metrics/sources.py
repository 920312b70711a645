"""The metrics of sources of foreign devices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from devices.sources.source import Source, Way

OUTCOMES = ("readings", "rejected", "copies", "unread")


def families(sources: Sequence[Source], age_of: Callable[[datetime], float]) -> Iterator[Metric]:
    """Return the metric families of those that are enabled; sources that never were heard are away."""
    enabled = [one for one in sources if one.enabled]
    said = "Whether a source is heard"
    connected = GaugeMetricFamily("nabd_source_connected", said, labels=["source"])
    said = "Time since a source was heard of by the process that hears it"
    alive = GaugeMetricFamily("nabd_source_sign_of_life_age_seconds", said, labels=["source"])
    said = "Time since the last message of a source"
    last = GaugeMetricFamily("nabd_source_last_message_age_seconds", said, labels=["source"])
    said = "What became of what sources said"
    brought = CounterMetricFamily("nabd_source_readings", said, labels=["source", "outcome"])
    said = "What devices of a source said that was read in part only"
    partly = CounterMetricFamily("nabd_source_problems", said, labels=["source"])
    for one in enabled:
        state = one.state
        if one.way is Way.MQTT:
            connected.add_metric([one.name], state is not None and state.connected)
        if state is None:
            continue
        if one.way is Way.MQTT:
            alive.add_metric([one.name], age_of(state.alive_at))
        if state.last_message_at is not None:
            last.add_metric([one.name], age_of(state.last_message_at))
        for outcome in OUTCOMES:
            brought.add_metric([one.name, outcome], getattr(state, outcome))
        partly.add_metric([one.name], state.problems)
    yield from (connected, alive, last, brought, partly)
