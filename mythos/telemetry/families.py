"""Metrics of one label, or of none, from plain numbers."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

__all__ = ["counter", "gauge", "one", "single"]


def one(name: str, text: str, value: float) -> Metric:
    """A gauge without labels."""
    return GaugeMetricFamily(name, text, value=value)


def single(name: str, text: str, value: float) -> Metric:
    """A counter without labels; Prometheus' name for it ends with ``_total``."""
    return CounterMetricFamily(name, text, value=value)


def gauge(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    """:param values: by the label's"""
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def counter(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    """As :func:`gauge`."""
    family = CounterMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
