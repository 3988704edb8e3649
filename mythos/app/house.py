"""The plan of the house: builds every part, wires it, and fixes the order of start and stop.

The only place where parts meet. Outside it nobody asks a registry, a global or "the server" for a part.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure

from mythos import __version__
from mythos.app.doors import host
from mythos.app.files import secret_key
from mythos.app.handover import HandOver, Place, Program, identity
from mythos.app.mssp import status_table
from mythos.app.network import Network
from mythos.app.parts import Chance, Parts, Pump, Starter, Watcher
from mythos.app.places import read_world, web_files
from mythos.app.redis import connect
from mythos.app.sanctions import heed, open_sanctions
from mythos.app.server import Server
from mythos.app.sharing import Sharing
from mythos.app.stores import Opener, open_store, unread
from mythos.app.succession import Succession
from mythos.app.vitals import Vitals
from mythos.app.work import Work
from mythos.cluster.solo import SoloBus
from mythos.commands import grammar
from mythos.commands.table import VERBS
from mythos.config import Config
from mythos.errors import MythosError, Refusal
from mythos.flow.log import Limits
from mythos.flow.throttle import Throttle
from mythos.net.api import Api
from mythos.net.cacheorders import CacheOrders
from mythos.net.certificate import Certificate
from mythos.net.control import ControlFactory
from mythos.net.doorman import Doorman
from mythos.net.i3.link import RouterLink
from mythos.net.numbers import make_metrics_site
from mythos.net.operators import Audit, OperatorOrders, Operators, OperatorsDoor
from mythos.net.origins import Origins
from mythos.net.outlet import Outlet
from mythos.net.pages import Pages, TelnetPorts
from mythos.net.proxied import ProxiedFactory
from mythos.net.proxies import Proxies
from mythos.net.requests import Requests
from mythos.net.site import make_site
from mythos.net.sse import HEARTBEAT, StreamLink
from mythos.net.telnet import TelnetFactory
from mythos.net.tokens import JWTTokens
from mythos.net.websocket import SocketFactory
from mythos.net.worldorders import WorldOrders
from mythos.play.accounts import Accounts
from mythos.play.audience import Listeners
from mythos.play.channels import Channels
from mythos.play.commits import Batch, Commits
from mythos.play.intermud import SERVICES, Intermud
from mythos.play.ports import BadBatch, StoreDown
from mythos.play.realm import Pace, Realm
from mythos.play.waking import load_again, load_world
from mythos.store.lane import Lane
from mythos.store.passwords import Argon2Hasher
from mythos.telemetry.logs import Observer
from mythos.wire.message import Role, Span, line
from mythos.wire.negotiation import Policy
from mythos.world import npcs
from mythos.world.reload import change_atlas
from mythos.world.state import World
from mythos.world.zones import Atlas

__all__ = ["House"]

_log = Logger()


class House(Server):
    """The whole server as one service.

    :param unsafe: words do not wait for the disk: the control of the tests, which must lose
    :param open_store: makes the configured store; tests hand in one that dies
    :ivar program: starts another process of this server, if it can be renewed
    :ivar succession: takes the server over from the process that started this one
    """

    program: Program | None = None
    succession: Succession | None = None

    def __init__(
        self,
        config: Config,
        reactor: Any,
        *,
        say: Callable[[str], None],
        fail: Callable[[str], None],
        observer: Observer | None = None,
        unsafe: bool = False,
        open_store: Opener = open_store,
    ) -> None:
        super().__init__(config, reactor, say=say, fail=fail, observer=observer)
        self._unsafe = unsafe
        self._open_store = open_store
        self._parts: Parts | None = None
        self._recovering = False
        self._certificate: Certificate | None = None
        self._seals: set[str] = set()  # why the ledger cannot be written
        self.vitals: Vitals | None = None
        self._atlas: Atlas | None = None  # read already
        self._handover: HandOver | None = None

    def connections(self) -> int:
        return len(self._parts.outlet.links) if self._parts else 0

    # ── start ───────────────────────────────────────────────────────────────────────────────────

    def take_data(self) -> int:
        """Also from the process of before, once all is ready that could keep us from going on with it."""
        if self.succession is None:
            return super().take_data()
        self._atlas = read_world(self.config.world.dir)
        self.borrowed = True
        self.succession.wait(self.config)
        gc.disable()  # until everything is there: everybody waits
        self.notifier = self.succession.notifier(os.environ)
        return self.succession.lock

    async def start(self) -> None:
        atlas = self._atlas or read_world(self.config.world.dir)
        self._atlas = None
        world, parts = await self._build(atlas)
        self._parts = parts
        parts.hasher.start()
        parts.sharing.start(self.every)
        fresh_claim = await parts.accounts.offer_claim()
        succession = self.succession
        if succession is not None:
            succession.open(self.doors, self._reactor)
            await succession.take_up(parts)
        # From here to its end nothing is waited for: what is adopted may be another process's still.
        await self._listen(parts)
        if succession is None:
            await parts.work.start(self.ports)  # before the first look at disk and memory, which it tells of
        self._tick(parts)
        self._prepare_handover(parts)
        if succession is not None:
            succession.adopt(parts, self._api, self._site, self._reactor)
            succession.taken()
            self.borrowed = False
            parts.lane.release()
            parts.outlet.during(lambda: succession.go_on(parts, self._clock.seconds()))
            await parts.work.start(self.ports)
        self.health.started = self._clock.wall()
        self.health.state = "draining" if parts.accounts.draining else ""
        self._announce(world, fresh_claim)

    async def _build(self, atlas: Atlas) -> tuple[World, Parts]:
        config, reactor, clock = self.config, self._reactor, self._clock
        store = await self._open_store(config.database, reactor, self._say, self._fence_lost)
        work = Work(config, reactor, clock, store, self._router_links)
        tokens = JWTTokens(secret_key(config), config.security.secret_key_previous)
        try:
            world, contents = await load_world(store, atlas, Chance(config.world.seed))
        except (BadBatch, StoreDown) as error:
            store.close()
            raise unread(config.database, error) from error
        commits = Commits(
            tokens.secret()[:16], contents.next_tx, lambda: (world.now, world.next_id), unsafe=self._unsafe
        )
        lane = Lane(commits, store, reactor)
        outlet = Outlet(self._poll, config.sessions.idle_timeout)
        bus = SoloBus()
        watcher = Watcher()
        realm = Realm(
            world=world,
            verbs=VERBS,
            grammar=grammar,
            channels=Channels(**_talk(config)),
            commits=commits,
            store=store,
            tokens=tokens,
            clock=clock,
            runner=Starter(),
            bus=bus,
            observer=watcher,
            pace=_pace(config),
            limits=Limits(config.sessions.log_events, config.sessions.log_bytes, config.sessions.resume_window),
        )
        hasher = Argon2Hasher(reactor)
        throttle = Throttle(_logins(config))
        accounts = Accounts(realm, store, store, hasher, tokens, clock, throttle)
        accounts.sanctions = open_sanctions(config.data, clock, work.sanctioned)
        realm.accounts = accounts
        realm.reload = self._reload_content
        realm.stop = self.stop_in
        realm.recover = self._recover
        realm.debug = config.debug
        bus.hear = lambda channel, message: realm.hear((Listeners(channel), message))
        accounts.sleepers.remember(contents.sessions, contents.strays)
        npcs.populate(world)
        lane.held = self.succession is not None
        commits.submit(world.take_change(), kind="populate")
        lane.down = self._store_down
        lane.broken = self._batch_broken
        if not lane.held:
            await lane.settled()
        doorman = Doorman(*_admission(config))
        heed(accounts.sanctions, clock, doorman, realm.channels)
        proxies = Proxies(config.http.trusted_proxies)
        origins = Origins(config.http.cors_origins)
        requests = Requests(*_requested(config), clock, proxies.of_request)
        sharing = Sharing(config, reactor, clock.seconds, connect, work.breakers)
        sharing.share(config, {"http": requests.limit, "login": throttle})
        telnet = TelnetFactory(
            realm=realm,
            accounts=accounts,
            outlet=outlet,
            clock=reactor,
            doorman=doorman,
            greeting=_greeting(config, atlas),
            web_address="",
            status=self._mssp,
            downloads=_downloads(config),
            mccp2=config.telnet.mccp2,
            mccp3=config.telnet.mccp3,
            policy=Policy.standard(msdp=config.telnet.msdp, mxp=config.telnet.mxp),
            trusts=proxies.trusts,
        )
        sockets = SocketFactory(
            realm=realm,
            accounts=accounts,
            outlet=outlet,
            clock=reactor,
            origins=origins,
            frames_per_second=_frames(config),
            address_of=proxies.of_socket,
            doorman=doorman,
            permessage_deflate=config.http.permessage_deflate,
            telnet=telnet,
        )
        api = Api(
            realm=realm,
            accounts=accounts,
            outlet=outlet,
            tokens=tokens,
            clock=clock,
            health=self.health,
            requests=requests,
            address_of=proxies.of_request,
            doorman=doorman,
            cache=sharing.cache,
        )
        files = web_files()
        pages = Pages(
            realm=realm,
            clock=clock,
            requests=requests,
            is_secure=proxies.is_secure,
            telnet=self._telnet_ports,
            static=files.prefix,
            cache=sharing.cache,
        )
        self._api = api
        api.is_secure = proxies.is_secure
        self._site = make_site(files, pages, api, sockets, reactor, origins=origins, is_secure=proxies.is_secure)
        parts = Parts(
            store,
            hasher,
            commits,
            lane,
            realm,
            accounts,
            outlet,
            Pump(reactor, self._poll, realm, outlet),
            telnet,
            sockets,
            work,
            sharing,
        )
        if "i3" in config.roles:
            parts.network = Network(config, reactor, clock, self.doors, self.every, self.follow, sharing)
            parts.network.admission.banned = doorman.banned
        self.vitals = Vitals(
            config, reactor, self.health, parts, api, doorman, watcher, self._observer, self._disk_full
        )
        self.vitals.checks(lambda: self._recovering)
        self.follow((*_PACE, _ALL), lambda config: realm.change_pace(_pace(config)))
        self.follow((*_TALK, _ALL), lambda config: realm.channels.change_pace(**_talk(config)))
        self.follow((*_DOORS, _ALL), lambda config: doorman.change(*_admission(config)))
        self.follow((*_HTTP, _ALL), lambda config: requests.change(*_requested(config)))
        self.follow((_ALL,), lambda config: throttle.change(_logins(config)))
        self.follow((_ALL,), lambda config: sharing.share(config, {}))
        self.follow((_FRAMES, _ALL), lambda config: setattr(sockets, "frames_per_second", _frames(config)))
        self.follow(("sessions.idle_timeout",), lambda config: setattr(outlet, "idle", config.sessions.idle_timeout))
        self.follow(("http.cors_origins",), lambda config: origins.change(config.http.cors_origins))
        self.follow(("mud.mssp",), lambda config: config.mud.mssp)  # asked for whenever it is told
        return world, parts

    def _telnet_ports(self) -> TelnetPorts:
        port = self.ports.get("telnet", 0)
        secure = self.config.telnet.listen.endpoint.startswith("ssl:")
        return TelnetPorts(tls=port) if secure else TelnetPorts(port)

    # ── doors ───────────────────────────────────────────────────────────────────────────────────

    async def _listen(self, parts: Parts) -> None:
        config = self.config
        assert self.vitals is not None
        await self.doors.open("http", config.http.listen, self._behind(config.http.trusted_proxies, self._site))
        parts.telnet.web_address = f"http://{host(config.http.listen)}:{self.ports.get('http', 0)}/play"
        telnet = self._behind(config.telnet.trusted_proxies, parts.telnet, required=True)
        await self.doors.open("telnet", config.telnet.listen, telnet)
        if config.tls.enabled and config.tls.certificate is not None and config.tls.key is not None:
            certificate = Certificate(config.tls.certificate, config.tls.key)
            if certificate.ends <= self._clock.wall():
                self._say(f"{config.tls.certificate} has ended, and clients refuse it: put a new one in its place.")
            secure = TLSMemoryBIOFactory(certificate, False, parts.telnet, self._reactor)
            telnet = self._behind(config.telnet.trusted_proxies, secure, required=True)
            await self.doors.open("telnet-tls", config.telnet.tls, telnet)
            self.vitals.certificate(certificate)
            self._certificate = certificate
            self.every(_CERTIFICATE, certificate.refresh)
            self.at_hangup(certificate.read_again)
        if config.metrics.enabled:
            site = make_metrics_site(self.vitals.metrics, self._reactor)
            await self.doors.open("metrics", config.metrics.listen, site)
        if parts.network is not None:
            await parts.network.start(lambda link: self._join(parts.realm, link), tuple(SERVICES))
        orders = WorldOrders(
            parts.realm,
            parts.accounts,
            self.health,
            ports=lambda: self.ports,
            stop=self.stop_in,
            reload_config=self.reload_config,
            counted=self.vitals.metrics,
            tail=self.tail,
            reload=self._reload_content,
            reload_tls=self._reload_tls,
            stay=self.stay,
            upgrade=self._upgrade,
        ).orders
        audit = Audit(config.data / "audit.log", self._clock.wall)
        operators = Operators(config.data / "control-tokens.json", self._clock.wall, self._clock.seconds)
        network = parts.network.orders if parts.network is not None else {}
        orders |= network | OperatorOrders(operators, audit).orders | parts.work.orders
        orders |= CacheOrders(parts.sharing.cache).orders

        def heard(*entry: str) -> None:
            audit.write(*entry)
            parts.work.ordered(*entry)

        control = ControlFactory(orders, heard)
        self._api.control = OperatorsDoor(control, operators).answer
        self.doors.open_control(control)
        self.doors.tell()

    def _behind(self, proxies: tuple[str, ...], factory: Any, *, required: bool = False) -> Any:
        """The same for clients of proxies that speak the PROXY protocol."""
        return ProxiedFactory(factory, Proxies(proxies), self._reactor, required=required) if proxies else factory

    def _join(self, realm: Realm, link: RouterLink) -> Intermud:
        realm.intermud = Intermud(realm, self.config.mud.name, link)
        return realm.intermud

    def _router_links(self) -> list[tuple[str, RouterLink]]:
        return self._parts.network.links() if self._parts is not None and self._parts.network is not None else []

    def _announce(self, world: World, claim: str) -> None:
        config, atlas = self.config, world.atlas
        web = f"http://{host(config.http.listen)}:{self.ports.get('http')}/"
        people = sum(1 for one in world.npcs.values() if not one.returns)
        where = config.database.path or config.database.url
        self._say(f'Mythos {__version__} · world "{atlas.title}" · {len(atlas.rooms)} rooms, {people} people · {where}')
        self._say(f"  play      {web}    telnet   {host(config.telnet.listen)} {self.ports.get('telnet', 'off')}")
        if "telnet-tls" in self.ports:
            self._say(f"  with TLS  telnet   {host(config.telnet.tls)} {self.ports['telnet-tls']}")
        if "metrics" in self.ports:
            self._say(f"  metrics   http://{host(config.metrics.listen)}:{self.ports['metrics']}/metrics")
        if config.telnet.listen.on_network and "telnet" in self.ports:
            self._say("  warning   telnet is open to the network without encryption: passwords can be overheard")
        if not config.security.secret_key and config.public:
            self._say(f"  secrets   made at first start, kept in {config.data / 'secret'}")
        if claim:
            self._say(f"  first run: become keeper of this world at {web}claim#{claim}   (60 minutes, once)")
        self._say("Ctrl-C saves everything and stops.")

    # ── time ────────────────────────────────────────────────────────────────────────────────────

    def _tick(self, parts: Parts) -> None:
        config, realm, outlet = self.config, parts.realm, parts.outlet
        vitals = self.vitals
        assert vitals is not None
        beat = config.world.tick

        def tick() -> None:
            started = self._clock.seconds()
            outlet.during(lambda: realm.tick(beat))
            vitals.ticked(started, self._clock.seconds())

        def sweep() -> None:
            now = self._clock.seconds()
            outlet.during(lambda: outlet.sweep(now))
            outlet.during(realm.sweep)

        def every_second() -> None:
            outlet.during(realm.tell_bustle)
            parts.telnet.sweep(self._reactor.seconds())

        def heartbeat() -> None:
            for link in tuple(outlet.links):
                if isinstance(link, StreamLink):
                    link.beat()

        for seconds, job in (
            (beat, tick),
            (config.world.flush_interval, realm.save),
            (_PARTS, sweep),
            (1.0, every_second),
            (config.sessions.sweep_interval, parts.accounts.sleepers.forget_old),
            (_LEAVING, parts.accounts.leaving.look),
            (HEARTBEAT, heartbeat),
            *vitals.jobs,
        ):
            self.every(seconds, job)
        vitals.start()

    # ── trouble ─────────────────────────────────────────────────────────────────────────────────

    def _store_down(self, down: bool) -> None:
        if self._parts is not None:
            self._parts.work.store_down(down)
        self._seal("the store does not answer", down)

    def _disk_full(self, full: bool) -> None:
        self._seal("its disk is full", full)

    def _seal(self, why: str, sealed: bool) -> None:
        """Say so at once: all other words wait until the store answers, and nobody would know why."""
        before = bool(self._seals)
        (self._seals.add if sealed else self._seals.discard)(why)
        down = bool(self._seals)
        if self._parts is None or down == before:
            return
        realm = self._parts.realm
        realm.world.sealed = _SEALED if down else ""
        words = "The world's ledger cannot be written just now. Everything waits for it." if down else "It goes on."
        realm.tell_all(line("system", Span("[notice] ", Role.WARNING), words))

    def _fence_lost(self, why: str) -> None:
        """Nothing can be written any more, so nothing more may happen."""
        if self._parts is not None:
            self._parts.realm.halt()
        self._fail(why)

    def _batch_broken(self, batch: Batch, error: BadBatch) -> None:
        _log.error(
            "ALERT batch {number} can never be written: {error}; the world is loaded again from the store",
            number=batch.number,
            error=error,
        )
        self._recover()

    def _recover(self) -> None:
        """Load the world again from the store, as it was when everything that was told was on disk."""
        if self._parts is None or self._recovering:
            return
        self._recovering = True
        self._parts.realm.halt()
        # Not within the turn that broke: it has to end first, so that it counts as one that has to be answered.
        self._reactor.callLater(0, self._start_again, self._parts)

    def _start_again(self, parts: Parts) -> None:
        Deferred.fromCoroutine(self._load_again(parts)).addErrback(self._try_again, parts)

    def _try_again(self, failure: Failure, parts: Parts) -> None:
        """Nobody can play until it succeeds, so it is tried until it does."""
        _log.failure("the world could not be loaded again; trying once more", failure)
        self._reactor.callLater(1.0, self._start_again, parts)

    async def _load_again(self, parts: Parts) -> None:
        await parts.lane.settled()
        await load_again(parts.realm)
        parts.realm.world.sealed = _SEALED if self._seals else ""
        self._recovering = False

    def _reload_tls(self) -> str:
        if self._certificate is None:
            raise Refusal("This server has no certificate: set tls.certificate, and start it again.")
        if wrong := self._certificate.read_again():
            raise Refusal(f"{wrong} The certificate before it stays in force.")
        return "The certificate was read again."

    def _reload_content(self, dry_run: bool = False) -> str:
        """:raises Refusal: with what is wrong, and the world is as it was"""
        assert self._parts is not None
        try:
            atlas = read_world(self.config.world.dir)
        except MythosError as error:
            raise Refusal(f"Nothing was changed. {error}") from error
        realm = self._parts.realm
        if realm.world.sealed:
            raise Refusal(f"Nothing was changed. {realm.world.sealed}")
        if dry_run:
            return f"{atlas.title} is good: {len(atlas.rooms)} rooms."
        heard = change_atlas(realm.world, atlas)
        realm.happened(heard, "reload")
        return f"{atlas.title} is loaded again: {len(atlas.rooms)} rooms."

    # ── another process ─────────────────────────────────────────────────────────────────────────

    async def _upgrade(self, seconds: float) -> dict[str, Any]:
        """:raises Refusal: it was not done, and everything goes on here"""
        if self._handover is None:
            raise Refusal("This server cannot start another process of itself.")
        if self.stopping:
            raise Refusal("The server is about to stop: let it stay by mythosctl resume, then renew it.")
        if self._recovering or self._seals:
            raise Refusal("Its store does not answer just now: nothing could be handed over.")
        return await self._handover.carry_out(seconds)

    def _prepare_handover(self, parts: Parts) -> None:
        vitals = self.vitals
        if self.program is None:
            return
        assert vitals is not None
        self._handover = HandOver(
            self._reactor,
            parts,
            self.doors,
            api=self._api,
            site=self._site,
            program=self.program,
            place=Place(self.notifier, self.succession.pipe if self.succession is not None else -1),
            lock=self._lock,
            identity=identity(self.config),
            runs=lambda: bool(self.running),
            still=self.hold_still,
            pause=vitals.stop,
            go_on=vitals.start,
        )

    # ── stop ────────────────────────────────────────────────────────────────────────────────────

    def warn(self, seconds: float, reason: str) -> None:
        if self._parts is None:
            return
        when = f"in {round(seconds)} seconds" if seconds else "now"
        words = f"The world closes {when}. {reason}".strip()
        self._parts.realm.tell_all(line("system", Span("[notice] ", Role.WARNING), words))
        if self._parts.network is not None:
            self._parts.network.warn(seconds, reason)

    async def _settle(self, parts: Parts) -> None:
        try:
            await parts.lane.settled().addTimeout(_STOPPING, self._reactor)
        except TimeoutError:
            _log.error("the store does not answer: it stops as after a crash, and what waits for the disk is not told")

    async def stop(self) -> None:
        parts = self._parts
        if parts is None:
            return
        if self.vitals is not None:
            self.vitals.stop()
        work = Deferred.fromCoroutine(parts.work.stop())
        if parts.network is not None:
            try:
                await parts.network.stop()
            except Exception:  # other MUDs must not cost our players a line
                _log.failure("the network did not stop cleanly")
        parts.pump.stop()
        parts.realm.tell_bustle()
        parts.realm.halt()
        await self._settle(parts)  # words that wait are released into the logs
        parts.outlet.flush()
        parts.realm.save(with_logs=True)
        await self._settle(parts)
        for link in tuple(parts.outlet.links):
            link.close(1001, "the world closes; come back in a moment")
        await parts.sharing.stop()
        parts.hasher.stop()
        await work
        parts.store.close()

    def _mssp(self) -> dict[str, tuple[str, ...]]:
        assert self._parts is not None
        return status_table(self.config, self._parts.realm, self.ports, self.health.started)


_SEALED = "The world's ledger cannot be written just now: nothing can change hands. Try again shortly."
#: Settings of how fast people may act, and how long they are waited for; and of how many come in.
_PACE = (
    "limits.player.burst",
    "limits.player.per_minute",
    "limits.room.per_second",
    "sessions.connections",
    "sessions.grace",
    "sessions.grace_combat",
)
_FRAMES = "limits.websocket.per_second"
_TALK = ("limits.channels", "limits.tells")
_DOORS = ("limits.accept.open", "limits.accept.per_second", "limits.connections")
_HTTP = ("limits.http.requests", "limits.http.window")
#: What lifts all those at once.
_ALL = "limits.enabled"
#: Seconds that a stop waits for the store, twice.
_STOPPING = 4.0
#: Seconds between two looks at the files of the certificate.
_CERTIFICATE = 10.0
#: Seconds between two looks at accounts that are to be deleted.
_LEAVING = 60.0
#: Seconds between two parts of a round over all links and sessions.
_PARTS = 0.05


def _pace(config: Config) -> Pace:
    limits, sessions = config.limits, config.sessions
    free = not limits.enabled
    return Pace(
        per_minute=1e9 if free else limits.player.per_minute,
        burst=1e9 if free else limits.player.burst,
        room_per_second=1e9 if free else limits.room.per_second,
        connections=sessions.connections,
        grace=sessions.grace,
        grace_combat=sessions.grace_combat,
        window=sessions.resume_window,
        sweep=min(5.0, sessions.sweep_interval),
    )


def _talk(config: Config) -> dict[str, float]:
    limits = config.limits
    if not limits.enabled:
        return {"per_minute": 1e9, "tells_per_minute": 1e9, "burst": 1e9}
    return {"per_minute": limits.channels, "tells_per_minute": limits.tells}


def _admission(config: Config) -> tuple[int, int, float]:
    limits = config.limits
    if not limits.enabled:
        return limits.connections, 1_000_000, 1e6
    return limits.connections, limits.accept.open, limits.accept.per_second


def _requested(config: Config) -> tuple[float, float]:
    limits = config.limits
    return limits.http.requests if limits.enabled else 1e9, limits.http.window


def _logins(config: Config) -> float:
    return config.limits.logins if config.limits.enabled else 1e6


def _frames(config: Config) -> float:
    return config.limits.websocket.per_second if config.limits.enabled else 1e6


def _downloads(config: Config) -> dict[str, Any]:
    """What Mudlet may fetch, as messages of GMCP."""
    telnet = config.telnet
    found: dict[str, Any] = {}
    if telnet.gui_url:
        found["Client.GUI"] = {"version": telnet.gui_version, "url": telnet.gui_url}
    if telnet.map_url:
        found["Client.Map"] = {"url": telnet.map_url}
    return found


def _greeting(config: Config, atlas: Atlas) -> list[str]:
    words = [part for part in atlas.greeting.split("\n") if part.strip()] or [f"Welcome to {config.mud.name}."]
    return [*words, "Give your name, or type guest to look around at once."]
