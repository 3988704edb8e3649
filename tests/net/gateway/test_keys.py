"""Keys: made, listed, rotated, revoked, all while the gateway runs; never on disk as they are."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mythos.errors import Refusal
from mythos.net.control import Question
from mythos.net.gateway.orders import GatewayOrders
from tests.net.gateway.place import ROADS, Client, Place, gateway

FILE = "gateway-keys.json"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with gateway(tmp_path) as place:
        yield place


def orders(place: Place) -> GatewayOrders:
    async def open() -> dict[str, int]:
        return {"gateway": 8080}

    return GatewayOrders(place.gateway, open)


async def order(place: Place, name: str, **members: object) -> dict[str, Any]:
    return await orders(place).orders[f"gateway-keys-{name}"](Question(members))


async def test_a_key_is_shown_once(place: Place) -> None:
    made = await order(place, "create", mud="Reach", permissions="tell, channel", rate=300)
    assert (made["key_id"], made["mud"], made["permissions"], made["rate"]) == ("k1", "Reach", ["tell", "channel"], 300)
    assert made["ports"] == {"gateway": 8080}
    secret = made["key"]
    assert isinstance(secret, str)
    assert len(secret) >= 43
    kept = place.data / FILE
    assert secret not in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    (listed,) = (await order(place, "list"))["keys"]
    assert secret not in json.dumps(listed)
    assert listed["connections"] == 0


@pytest.mark.parametrize("mud", ["", " ", "*router", "a@b", "a\nb", "x" * 65, " Reach", "Own World", "own world"])
async def test_names_that_no_mud_has(place: Place, mud: str) -> None:
    with pytest.raises(Refusal):
        await order(place, "create", mud=mud)
    assert not (place.data / FILE).exists()


async def test_permissions_that_are_none(place: Place) -> None:
    with pytest.raises(Refusal, match="There are: \\*, tell, channel, info, admin"):
        await order(place, "create", mud="Reach", permissions="everything")
    with pytest.raises(Refusal, match="1 to 1000000"):
        await order(place, "create", mud="Reach", rate=-1)


@pytest.mark.parametrize("road", ROADS)
async def test_rotating(place: Place, road: str) -> None:
    """The old key is good for a while beside the new one; then its connections are closed."""
    old = place.key("Reach", "info")
    client = place.client(road, key=old)
    made = await order(place, "rotate", id="k1", overlap=60)
    assert made["permissions"] == ["info"]
    second = place.client(road, key=str(made["key"]))
    assert place.client(road, key=old).result("ping")["pong"]
    place.pass_time(61)
    place.gateway.sweep()
    assert Client(place, road).error("authenticate", api_key=old)[0] == -32000
    client.take()
    assert client.plug.disconnecting or client.closed == (1008, "this key is not good any more")
    assert second.result("ping")["pong"]


@pytest.mark.parametrize("road", ROADS)
async def test_revoking(place: Place, road: str) -> None:
    """At once; a MUD without a key is no more on the network, and others notice nothing."""
    client, other = place.client(road, "Reach"), place.client(road, "Salt")
    assert place.exchanges[0].muds["Reach"].up
    assert (await order(place, "revoke", id="k1"))["key_id"] == "k1"
    place.run()
    client.take()
    assert client.plug.disconnecting or client.closed == (1008, "this key is not good any more")
    assert not place.exchanges[0].muds["Reach"].up
    assert other.result("ping")["pong"]
    for name in ("revoke", "rotate"):
        with pytest.raises(Refusal, match="There is no key 'k1'"):
            await order(place, name, id="k1")


@pytest.mark.parametrize(
    ("name", "members"),
    [("create", {"mud": "Salt"}), ("rotate", {"id": "k1", "overlap": 60}), ("revoke", {"id": "k1"})],
)
async def test_what_cannot_be_written_is_not_done(place: Place, name: str, members: dict[str, Any]) -> None:
    """A key that is revoked in memory alone would come back with the next start."""
    secret = place.key("Reach")
    full = (place.data / FILE).with_suffix(".part")
    full.mkdir()
    with pytest.raises(Refusal, match="Nothing was changed"):
        await order(place, name, **members)
    full.rmdir()
    assert [key.id for key in place.keys] == ["k1"]
    assert place.client("tcp", key=secret).result("ping")["pong"]
    assert (await order(place, "create", mud="Salt"))["key_id"] == "k2"


async def test_a_key_that_has_ended_does_not_come_back(place: Place) -> None:
    old = place.key("Reach")
    await order(place, "rotate", id="k1", overlap=60)
    place.pass_time(61)
    with pytest.raises(Refusal, match="There is no key 'k1'"):
        await order(place, "rotate", id="k1", overlap=60)
    assert Client(place, "tcp").error("authenticate", api_key=old)[0] == -32000


async def test_a_mud_with_two_keys_stays(place: Place) -> None:
    place.key("Reach")
    second = place.client("tcp", key=place.key("Reach"))
    await order(place, "revoke", id="k1")
    place.run()
    assert place.exchanges[0].muds["Reach"].up
    assert second.result("ping")["pong"]


@pytest.mark.parametrize("road", ROADS)
async def test_a_key_is_good_at_its_addresses(place: Place, road: str) -> None:
    """The clients of these tests come from 198.51.100.7."""
    for number, (allow, deny, good) in enumerate(
        (
            ("198.51.100.0/24", "", True),
            ("192.0.2.0/24, 2001:db8::/32", "", False),
            ("", "198.51.100.7", False),
            ("198.51.100.0/24", "198.51.100.7", False),
            ("", "192.0.2.0/24", True),
        )
    ):
        made = await order(place, "create", mud=f"M{number}", allow=allow, deny=deny)
        answer = Client(place, road).call("authenticate", api_key=made["key"])
        assert ("result" in answer) == good, (allow, deny)
        if road == "ws":
            assert Client(place, road, X_API_Key=made["key"]).status == (101 if good else 401)
    rotated = await order(place, "rotate", id="k2")
    assert rotated["allow"] == ["192.0.2.0/24", "2001:db8::/32"]
    with pytest.raises(Refusal, match="'somewhere' is no address"):
        await order(place, "create", mud="Reach", allow="somewhere")
