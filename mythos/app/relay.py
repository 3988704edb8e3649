"""A server without a world: the gateway, and the router if one is configured. ``--roles i3``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mythos import __version__
from mythos.app.doors import host
from mythos.app.network import Network
from mythos.app.server import Server
from mythos.app.sharing import Sharing
from mythos.flow.breaker import Breakers
from mythos.net.cacheorders import CacheOrders
from mythos.net.control import ControlFactory, Order, ServerOrders
from mythos.net.numbers import make_metrics_site
from mythos.net.operators import Audit, OperatorOrders, Operators, OperatorsDoor
from mythos.telemetry.metrics import LinkMetrics
from mythos.telemetry.process import resident

if TYPE_CHECKING:
    from mythos.app.redis import Connect

__all__ = ["Relay"]


class Relay(Server):
    """See the module.

    :ivar connect: :func:`mythos.app.redis.connect`, if a Redis is configured
    """

    connect: ClassVar[Connect | None] = None

    _network: Network | None = None
    _sharing: Sharing | None = None

    def connections(self) -> int:
        return self._network.gateway.connected() if self._network is not None else 0

    async def start(self) -> None:
        config = self.config
        audit = Audit(config.data / "audit.log", self._clock.wall)
        operators = Operators(config.data / "control-tokens.json", self._clock.wall, self._clock.seconds)
        taken: dict[str, Order] = {}  # filled below: some of them are the network's, which has the door
        control = ControlFactory(taken, audit.write)
        door = OperatorsDoor(control, operators)
        breakers = Breakers(config.breaker.failures, config.breaker.open_for)
        sharing = self._sharing = Sharing(config, self._reactor, self._clock.seconds, type(self).connect, breakers)
        sharing.watch(self.health)
        sharing.start(self.every)
        network = Network(config, self._reactor, self._clock, self.doors, self.every, self.follow, sharing, door)
        metrics = LinkMetrics(network.numbers, resident, sharing.numbers)
        if config.metrics.enabled:
            site = make_metrics_site(metrics, self._reactor)
            await self.doors.open("metrics", config.metrics.listen, site)
        self._network = network
        await network.start(None)
        orders = ServerOrders(
            self.health,
            ports=lambda: self.ports,
            stop=self.stop_in,
            reload_config=self.reload_config,
            counted=metrics,
            tail=self.tail,
        ).orders
        taken |= orders | network.orders | OperatorOrders(operators, audit).orders | CacheOrders(sharing.cache).orders
        self.doors.open_control(control)
        self.doors.tell()
        self.health.started = self._clock.wall()
        self.health.state = ""
        self._announce()

    def _announce(self) -> None:
        config, ports = self.config, self.ports
        self._say(f"Mythos {__version__} · a gateway to Intermud-3, without a world")
        if "gateway" in ports:
            place = f"ws://{host(config.gateway.listen)}:{ports['gateway']}/ws"
            self._say(f"  gateway   {place}    TCP   {host(config.gateway.tcp)} {ports.get('gateway-tcp', 'off')}")
        else:
            self._say("  gateway   opens with its first key: mythosctl gateway keys create <MUD>")
        if "i3-router" in ports:
            self._say(
                f"  router    *{config.i3.router.name.lstrip('*')} {host(config.i3.router.listen)} {ports['i3-router']}"
            )
        elif not config.i3.routers:
            self._say("  router    none: name one in i3.routers, or run one of your own with --i3-router")
        self._say("Ctrl-C saves everything and stops.")

    def warn(self, seconds: float, reason: str) -> None:
        if self._network is not None:
            self._network.warn(seconds, reason)

    async def stop(self) -> None:
        if self._network is not None:
            await self._network.stop()
        if self._sharing is not None:
            await self._sharing.stop()
