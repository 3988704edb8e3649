"""Text into values."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mythos.config import scalars
from mythos.config.listen import Listen


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10s", 10.0), ("5m", 300.0), ("2h", 7200.0), ("1d", 86400.0), ("250ms", 0.25), ("1.5m", 90.0), ("30", 30.0)],
)
def test_seconds(text: str, expected: float) -> None:
    assert scalars.seconds(text) == expected


def test_a_bare_number_counts_its_unit() -> None:
    assert scalars.seconds("10", unit=60) == 600.0
    assert scalars.seconds("10s", unit=60) == 10.0


@pytest.mark.parametrize(
    ("text", "expected"), [("64KB", 65536), ("128MB", 2**27), ("1 GiB", 2**30), ("512", 512), ("1.5kb", 1536)]
)
def test_sizes(text: str, expected: int) -> None:
    assert scalars.size(text) == expected


@pytest.mark.parametrize("text", ["YES", "on", "True", "1"])
def test_truth(text: str) -> None:
    assert scalars.boolean(text) is True


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text(text: str) -> None:
    """Only ValueError comes out."""
    for read in (scalars.integer, scalars.number, scalars.seconds, scalars.size, scalars.boolean, Listen.parse):
        try:
            read(text)
        except ValueError as error:
            assert str(error)


@pytest.mark.parametrize(
    ("text", "endpoint", "host", "port", "on_network"),
    [
        ("4000", "tcp:4000:interface=127.0.0.1", "127.0.0.1", 4000, False),
        ("0", "tcp:0:interface=127.0.0.1", "127.0.0.1", 0, False),
        ("localhost:4000", "tcp:4000:interface=127.0.0.1", "127.0.0.1", 4000, False),
        ("10.0.0.1:4000", "tcp:4000:interface=10.0.0.1", "10.0.0.1", 4000, True),
        (":4000", "tcp:4000", "0.0.0.0", 4000, True),
        ("*:4000", "tcp:4000", "0.0.0.0", 4000, True),
        ("[::1]:4000", r"tcp:4000:interface=\:\:1", "::1", 4000, False),
        ("tcp:4000", "tcp:4000", "0.0.0.0", 4000, True),
        ("tcp:4000:interface=127.0.0.1", "tcp:4000:interface=127.0.0.1", "127.0.0.1", 4000, False),
        (r"tcp:port=4000:interface=\:\:1", r"tcp:port=4000:interface=\:\:1", "::1", 4000, False),
        ("tcp6:4000", "tcp6:4000", "::", 4000, True),
        ("unix:/run/mythos.sock", "unix:/run/mythos.sock", "", 0, False),
        ("systemd:domain=INET:index=0", "systemd:domain=INET:index=0", "", 0, True),
        ("off", "", "", 0, False),
    ],
)  # fmt: skip
def test_listeners(text: str, endpoint: str, host: str, port: int, on_network: bool) -> None:
    """Every way to say where to listen, and whether other machines can reach it."""
    listen = Listen.parse(text)
    assert (listen.endpoint, listen.host, listen.port) == (endpoint, host, port)
    assert listen.on_network is on_network
    assert listen.off is (text == "off")


def test_only_bare_ports_are_opened() -> None:
    assert Listen.parse("4000").opened() == Listen.parse("*:4000")
    assert Listen.parse("127.0.0.1:4000").opened() == Listen.parse("127.0.0.1:4000")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("70000", "expected a port from 0 to 65535, not '70000'"),
        ("tcp:x", "expected a port from 0 to 65535, not 'x'"),
        ("example.org:80", "expected an address such as 127.0.0.1, not 'example.org'"),
        (
            "haproxy:tcp:4000",
            "'haproxy:tcp:4000' would believe whoever connects: expected 'tcp:4000', and the proxies named in"
            " telnet.trusted_proxies or http.trusted_proxies",
        ),
        (
            "tpc:x",
            "expected a port, ADDRESS:PORT, an endpoint such as tcp:4000:interface=127.0.0.1, or off, not 'tpc:x'"
            "; did you mean 'tcp'?",
        ),
    ],
)
def test_wrong_listeners(text: str, expected: str) -> None:
    with pytest.raises(ValueError) as caught:
        Listen.parse(text)
    assert str(caught.value) == expected
