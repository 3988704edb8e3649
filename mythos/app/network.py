"""Everything of Intermud-3 in one server: a router of one's own, our world's link, and the gateway for other MUDs."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from mythos import __version__
from mythos.app.doors import Doors, host
from mythos.app.files import StartError
from mythos.app.sharing import Sharing
from mythos.config import Config
from mythos.net.control import Order
from mythos.net.gateway.doors import Admission, ApiSocketFactory, LineFactory
from mythos.net.gateway.gateway import Gateway
from mythos.net.gateway.keys import Keyring, keyless
from mythos.net.gateway.methods import METHODS
from mythos.net.gateway.mud import SERVICES, Limits
from mythos.net.gateway.orders import GatewayOrders
from mythos.net.gateway.site import make_gateway_site
from mythos.net.i3.answers import Answers
from mythos.net.i3.exchange import Exchange
from mythos.net.i3.link import Identity, Router, RouterLink
from mythos.net.i3.router import RouterFactory, password
from mythos.net.i3.state import read, saved
from mythos.net.i3.unsent import Unsent
from mythos.net.operators import OperatorsDoor
from mythos.net.proxies import Proxies
from mythos.telemetry.metrics import I3Numbers
from mythos.wire.i3.directory import Directory
from mythos.wire.i3.packets import ChannelInfo

if TYPE_CHECKING:  # a gateway alone does without the game
    from mythos.play.intermud import Intermud
    from mythos.play.ports import Clock

__all__ = ["Network"]

_log = Logger()

#: Files in the data directory: passwords by MUD and router, lists by router, what was said on channels, and what our
#: players told others that waits for a router.
_PASSWORDS = "i3-passwords.json"
_LISTS = "i3-lists.json"
_CHANNELS = "i3-channels.json"
_UNSENT = "i3-unsent.json"
#: Seconds between two looks at what is too old, and between two times the lists are written.
_SWEEP = 5.0
_LISTS_EVERY = 60.0
#: Settings that can change while it runs.
_LIVE = (
    "gateway.allow",
    "gateway.burst",
    "gateway.connections",
    "gateway.deny",
    "gateway.per_minute",
    "limits.enabled",
)
_CLIENTS = Path(__file__).parents[1] / "net" / "gateway" / "clients"
_LANGUAGES = {"Python": "client.py", "JavaScript": "client.js", "C": "client.c", "Lua": "client.lua"}


class Network:
    """:param every: runs a job every so many seconds, until the server stops
    :param follow: runs a job when one of some settings has changed
    :param operators: takes orders over the gateway's HTTP port; None: they are taken elsewhere
    :ivar admission: who may come to the gateway
    :ivar answers: of other MUDs, as they came a moment ago; None: the operator wants nothing cached
    """

    def __init__(
        self,
        config: Config,
        reactor: Any,
        clock: Clock,
        doors: Doors,
        every: Callable[[float, Callable[[], object]], None],
        follow: Callable[[Iterable[str], Callable[[Config], object]], None],
        sharing: Sharing,
        operators: OperatorsDoor | None = None,
    ) -> None:
        self.link: RouterLink | None = None
        self._config = config
        self._sharing = sharing
        self.answers = Answers(sharing.cache) if config.cache.enabled else None
        self._reactor = reactor
        self._doors = doors
        self._every = every
        self._routers: list[Router] = []  # one list, which links have before it is known
        self._passwords: dict[str, dict[str, int]] = {}
        self._directories: dict[str, Directory] = {}
        self._intermud: Intermud | None = None
        self._unsent: Unsent | None = None
        self._read_passwords()
        self._read_lists()
        gateway = config.gateway
        own = config.mud.name if "world" in config.roles else ""
        anybody = keyless(gateway.keyless, gateway.allow, gateway.deny) if gateway.keyless else None
        self.gateway = Gateway(
            Keyring(config.data / "gateway-keys.json", clock.wall, gateway.keys, own, anybody),
            clock,
            reactor,
            link=self._link_of,
            data=config.data,
            limits=Limits(gateway.queue, gateway.queue_time, gateway.history, gateway.echo),
            rate=_rate(config),
            longest=gateway.longest,
            per_method=_per_method(config),
            answers=self.answers,
        )
        self.gateway.shared = sharing.shared(config)
        self.admission = Admission(gateway.allow, gateway.deny, gateway.connections)
        proxies = Proxies(config.http.trusted_proxies)
        ping = gateway.ping_interval, gateway.ping_timeout
        sockets = ApiSocketFactory(self.gateway, reactor, self.admission, ping=ping, address_of=proxies.of_socket)
        clients = {name: (_CLIENTS / file).read_text("utf-8") for name, file in _LANGUAGES.items()}
        self._site = make_gateway_site(self.gateway, sockets, self.admission, clients, reactor, proxies, operators)
        follow(_LIVE, self.change)
        self._lines = LineFactory(self.gateway, reactor, self.admission, idle=gateway.idle_timeout)

    # ── start and stop ──────────────────────────────────────────────────────────────────────────

    async def start(self, join: Callable[[RouterLink], Intermud] | None, services: Sequence[str] = ()) -> None:
        """:param join: gives our own world a link to be on the network by; None: there is no world here
        :param services: that it has
        :raises StartError: a listener cannot be opened
        """
        config = self._config
        self._routers.extend([_router(text) for text in config.i3.routers])
        await self._start_router()
        if self._routers:
            if join is not None:
                self._join(join, services)
            self.gateway.start()
        if any(True for _ in self.gateway.keys):
            await self.open()
        self._every(_SWEEP, self.gateway.sweep)
        self._every(_SWEEP, self._lines.sweep)
        self._every(config.world.flush_interval, self.gateway.save)
        self._every(_LISTS_EVERY, self._keep_lists)

    async def _start_router(self) -> None:
        box = self._config.i3.router
        if not box.enabled:
            return
        name = "*" + box.name.lstrip("*")
        exchange = Exchange(name, "", password, private=box.private)
        factory = RouterFactory(exchange, self._reactor, self._config.data / "i3-router.json")
        await self._doors.open("i3-router", box.listen, factory)
        port = self._doors.ports["i3-router"]
        exchange.place = f"{host(box.listen)} {port}"
        exchange.channels.setdefault("gossip", ChannelInfo(name, 0))
        if not self._routers:
            self._routers.append(Router(name, "127.0.0.1", port))

    def _join(self, join: Callable[[RouterLink], Intermud], services: Sequence[str]) -> None:
        """Be on the network with our own world."""
        config = self._config
        name = config.mud.name
        link = self.link = self._make_link(
            name, config.mud.announce_port or self._doors.ports.get("telnet", 0), services
        )
        intermud = link.resident = self._intermud = join(link)
        intermud.answers = self.answers
        try:
            intermud.remember(read(self._config.data / _CHANNELS))
        except (ValueError, TypeError, AttributeError) as error:
            _log.error("what was said on channels cannot be read, and is left out: {error}", error=error)
        self._unsent = Unsent(self._config.data / _UNSENT, link.turn)
        self._unsent.watch(name, link)
        self._unsent.remember()
        self._every(60.0, lambda: intermud.listen_again() if link.up else None)
        self._every(self._config.world.flush_interval, self._keep_channels)
        link.start()

    async def open(self) -> dict[str, int]:
        """Open the gateway's listeners, if they are not open; returns their ports. :raises StartError:"""
        gateway = self._config.gateway
        for name, listen, factory in (
            ("gateway", gateway.listen, self._site),
            ("gateway-tcp", gateway.tcp, self._lines),
        ):
            if name not in self._doors.ports:
                await self._doors.open(name, listen, factory)
        self._doors.tell()
        return {name: port for name, port in self._doors.ports.items() if name.startswith("gateway")}

    async def stop(self) -> None:
        """Leave the routers, and keep what outlives the server."""
        await self.gateway.stop()
        if self.link is not None:
            await self.link.stop()
        self.keep()

    def keep(self) -> None:
        """What outlives the server."""
        self.gateway.save()
        if self._unsent is not None:
            self._unsent.save()
        self._keep_channels()
        self._keep_lists()

    def warn(self, seconds: float, reason: str) -> None:
        """The server will stop."""
        self.gateway.announce("maintenance_scheduled", seconds, reason or "The gateway will stop.")

    def change(self, config: Config) -> None:
        """Who may come from now on, and how much they may ask; who is in keeps the pace it has."""
        gateway = config.gateway
        self.admission.change(gateway.allow, gateway.deny, gateway.connections)
        self.gateway.rate = _rate(config)
        self.gateway.per_method = _per_method(config)
        self.gateway.shared = self._sharing.shared(config)

    # ── what others ask ─────────────────────────────────────────────────────────────────────────

    @property
    def orders(self) -> dict[str, Order]:
        return GatewayOrders(self.gateway, self.open).orders

    def links(self) -> list[tuple[str, RouterLink]]:
        """All to routers, each with the name of the MUD whose it is."""
        ours = [] if self.link is None else [(self._config.mud.name, self.link)]
        return [*ours, *[(name, mud.link) for name, mud in self.gateway.muds.items()]]

    def numbers(self) -> list[I3Numbers]:
        return [link.numbers(name) for name, link in self.links()]

    # ── links ───────────────────────────────────────────────────────────────────────────────────

    def _link_of(self, mud: str) -> RouterLink:
        own = mud == self._config.mud.name and "telnet" not in self._doors.ports
        port = self._config.telnet.listen.port if own else 0  # of a MUD that runs elsewhere
        return self._make_link(mud, port, SERVICES)

    def _make_link(self, mud: str, port: int, services: Sequence[str]) -> RouterLink:
        config, me = self._config, self._config.mud
        driver = me.driver or f"Mythos {__version__}"
        told = me.mudlib, me.base_mudlib, driver, me.type, me.status
        return RouterLink(
            self._reactor,
            self._routers,
            Identity(mud, port, me.admin_email, tuple(services), *told),
            rate=config.i3.throttle,
            times=(config.i3.connect_timeout, config.i3.reconnect_delay, config.i3.heartbeat),
            passwords=self._passwords.setdefault(mud, {}),
            keep=self._keep_passwords,
            chance=random.random,
            directory=lambda router: self._directories.setdefault(router, Directory()),
        )

    # ── what outlives the server ────────────────────────────────────────────────────────────────

    def _read_passwords(self) -> None:
        for mud, known in read(self._config.data / _PASSWORDS).items():
            if type(known) is dict:
                self._passwords[mud] = {str(name): number for name, number in known.items() if type(number) is int}

        primary, name = self._config.i3.primary, self._config.mud.name
        if primary.host and primary.password:
            self._passwords.setdefault(name, {}).setdefault(primary.name, primary.password)

    def _keep_passwords(self) -> None:
        saved(self._passwords, self._config.data / _PASSWORDS)  # if not, links do without, until the server stops

    def _read_lists(self) -> None:
        for router, kept in read(self._config.data / _LISTS).items():
            try:
                self._directories.setdefault(router, Directory()).remember(kept)
            except ValueError as error:
                _log.error("the lists of {router} cannot be read: {error}", router=router, error=error)

    def _keep_lists(self) -> None:
        if any(one.changed for one in self._directories.values()):
            lists = {router: one.kept() for router, one in self._directories.items()}
            if not saved(lists, self._config.data / _LISTS, durable=False):
                for one in self._directories.values():
                    one.changed = True

    def _keep_channels(self) -> None:
        if self._intermud is not None and self._intermud.changed:
            kept = self._intermud.kept()
            self._intermud.changed = not saved(kept, self._config.data / _CHANNELS, durable=False)


def _rate(config: Config) -> tuple[int, int]:
    gateway = config.gateway
    return (gateway.per_minute, gateway.burst) if config.limits.enabled else (1_000_000_000, 1_000_000)


def _per_method(config: Config) -> dict[str, int]:
    """:raises StartError: there is no such method"""
    found = {}
    for text in config.gateway.per_method:
        method, _, rate = text.partition("=")
        if method not in METHODS:
            raise StartError(f"gateway.per_method names {method}, which is no method. There are: {', '.join(METHODS)}.")
        found[method] = int(rate)
    return found if config.limits.enabled else {}


def _router(text: str) -> Router:
    """``*name host:port``, as the configuration has checked it."""
    name, _, place = text.partition(" ")
    found, _, port = place.strip().rpartition(":")
    return Router(name, found, int(port))
