"""What the server counts, as Prometheus reads it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from mythos.telemetry.metrics import Metrics, Sources


def test_what_compression_saves() -> None:
    """Both ways of it, before and after."""
    sizes = {"mccp": {"plain": 900, "compressed": 300}, "permessage_deflate": {"plain": 80, "compressed": 20}}
    registry = CollectorRegistry()
    Metrics(
        registry,
        Sources(
            connections=dict,
            sessions=int,
            present=int,
            queued=int,
            held=int,
            delivered=dict,
            compressed=lambda: sizes,
            errors=int,
            faults=int,
            i3=list,
        ),
    )
    page = generate_latest(registry).decode().splitlines()
    assert 'mythos_mccp_bytes_total{size="compressed"} 300.0' in page
    assert 'mythos_permessage_deflate_bytes_total{size="plain"} 80.0' in page
    assert 'mythos_permessage_deflate_bytes_total{size="compressed"} 20.0' in page
