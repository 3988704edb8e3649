"""What operators ask of a server with a world over the control socket: who plays, words to all, accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from mythos.errors import Refusal
from mythos.flow.throttle import unmapped
from mythos.ids import EntityId
from mythos.net.control import Answer, Order, Question, ServerOrders
from mythos.net.numbers import Counted
from mythos.play import names
from mythos.play.accounts import Accounts
from mythos.play.leaving import GRACE
from mythos.play.realm import Realm
from mythos.play.sanctions import Kind, Sanction, network_of
from mythos.play.sessions import Session
from mythos.telemetry.health import Health
from mythos.telemetry.tail import Tail
from mythos.wire.message import Role, Span, line

__all__ = ["WorldOrders"]

#: Letters of a session's id that name it.
_ID = 6
#: Accounts in one answer.
_PAGE = 500
#: Longest mute, and longest time until an account is deleted, in seconds.
_MUTE = _LONGEST_GRACE = 366 * 86_400.0
#: Who orders, if nobody else is known.
_BY = "operator"
#: Most seconds that a new process may take to get ready.
_READY = 600.0


class WorldOrders(ServerOrders):
    """What a server with a world does.

    :param stay: does not stop after all; false: it was not about to
    :param upgrade: hands everything to a new process, which has that many seconds to get ready
    :param reload: loads the world's files again; True: only tries them. Returns a sentence
    :param reload_tls: reads the certificate again; returns a sentence
    """

    def __init__(
        self,
        realm: Realm,
        accounts: Accounts,
        health: Health,
        *,
        ports: Callable[[], Mapping[str, int]],
        stop: Callable[[float, str], None],
        reload_config: Callable[[bool], str],
        counted: Counted,
        tail: Tail | None,
        reload: Callable[[bool], str],
        reload_tls: Callable[[], str],
        stay: Callable[[], bool],
        upgrade: Callable[[float], Coroutine[Any, Any, Answer]],
    ) -> None:
        super().__init__(health, ports=ports, stop=stop, reload_config=reload_config, counted=counted, tail=tail)
        self._realm = realm
        self._accounts = accounts
        self._reload_world = reload
        self._reload_tls = reload_tls
        self._stay = stay
        self._upgrade_in = upgrade

    @property
    def orders(self) -> dict[str, Order]:
        return {
            **super().orders,
            "who": self._who,
            "session": self._session,
            "broadcast": self._broadcast,
            "kick": self._kick,
            "create-account": self._create_account,
            "accounts": self._list_accounts,
            "account": self._show_account,
            "account-password": self._set_password,
            "account-role": self._set_role,
            "account-delete": self._delete_account,
            "account-keep": self._keep_account,
            "account-export": self._export_account,
            "ban": self._ban,
            "unban": self._unban,
            "mute": self._mute,
            "unmute": self._unmute,
            "bans": self._bans,
            "drain": self._drain,
            "resume": self._resume,
            "upgrade": self._upgrade,
        }

    async def _status(self, asked: Question) -> Answer:
        realm = self._realm
        doors = Counter(connection.kind for session in realm.sessions() for connection in session.connections)
        return {
            **await super()._status(asked),
            "world": realm.world.atlas.title,
            "rooms": len(realm.world.atlas.rooms),
            "players": sum(1 for _ in realm.sessions()),
            "sessions": sum(1 for _ in realm.every_session()),
            "doors": dict(doors),
        }

    async def _who(self, asked: Question) -> Answer:
        return {"players": [self._shown(session) for session in self._realm.sessions()]}

    def _shown(self, session: Session) -> Answer:
        return {
            "name": session.me.name,
            "room": session.me.room,
            "keeper": session.me.keeper,
            "guest": session.me.account is None,
            "idle_s": round(self._realm.clock.seconds() - session.idle_since),
            "doors": [f"{connection.kind} from {connection.address}" for connection in session.connections],
        }

    async def _session(self, asked: Question) -> Answer:
        """One session, by a player's name or its beginning, or by the beginning of its id."""
        session = self._find(asked.text("name"))
        now, log = self._realm.clock.seconds(), session.log
        return {
            **self._shown(session),
            "session": session.id,
            "character": session.me.id,
            "standing": session.standing.value,
            "age_s": round(now - session.made),
            "epoch": log.epoch,
            "head": log.head,
            "kept": len(log.entries),
            "kept_bytes": log.size,
            "next_c": session.next_c,
            "waiting": len(session.lines or ()),
            "cursors": [
                {"door": cursor.kind, "sent": cursor.sent, "acked": cursor.acked, "attached": cursor.gone is None}
                for cursor in log.cursors
            ],
        }

    def _find(self, name: str) -> Session:
        """:raises Refusal: there is none, or several"""
        found = [one for one in self._realm.every_session() if one.me.name.lower() == name.lower() or one.id == name]
        if len(found) == 1:
            return found[0]
        if len(name) >= _ID:
            found = [one for one in self._realm.every_session() if one.id.startswith(name)]
            if len(found) == 1:
                return found[0]
        return self._realm.find_player(name)

    async def _memory(self, asked: Question) -> Answer:
        realm = self._realm
        world, sessions = realm.world, realm.every_session()
        return {
            **await super()._memory(asked),
            "sessions": len(sessions),
            "kept_messages": sum(len(session.log.entries) for session in sessions),
            "kept_bytes": sum(session.log.size for session in sessions),
            "waiting_commands": sum(len(session.lines or ()) for session in sessions),
            "rooms": len(world.atlas.rooms),
            "characters": len(world.characters),
            "npcs": len(world.npcs),
            "items": len(world.items),
        }

    async def _broadcast(self, asked: Question) -> Answer:
        words = asked.text("text")
        self._realm.tell_all(line("system", Span("[notice] ", Role.WARNING), words))
        return {"heard": sum(1 for _ in self._realm.sessions())}

    async def _kick(self, asked: Question) -> Answer:
        session = self._realm.find_player(asked.text("name"))
        name = session.me.name
        if not asked.flag("dry_run"):
            self._realm.kick(session, asked.text("reason", ""))
        return {"name": name}

    @property
    def reloads(self) -> dict[str, Callable[[bool], str]]:
        return {**super().reloads, "tls": lambda dry_run: self._reload_tls(), "world": self._reload_world}

    async def _create_account(self, asked: Question) -> Answer:
        account = await self._accounts.create(asked.text("name"), asked.text("password"), keeper=asked.flag("keeper"))
        return {"name": account.name}

    async def _list_accounts(self, asked: Question) -> Answer:
        """Those behind an id, :data:`_PAGE` at a time; ``next`` is the id to go on behind, 0 at the end."""
        found = await self._accounts.some(int(asked.number("behind", 0)), _PAGE)
        return {
            "accounts": [{"id": one.id, "name": one.name, "keeper": one.keeper} for one in found],
            "next": found[-1].id if len(found) == _PAGE else 0,
        }

    async def _show_account(self, asked: Question) -> Answer:
        account = await self._accounts.find(asked.text("name"))
        session = self._realm.session_of(account.character)
        banned = self._accounts.sanctions.of_name(account.name, self._wall())
        return {
            "id": account.id,
            "name": account.name,
            "character": account.character,
            "keeper": account.keeper,
            "standing": session.standing.value if session is not None else "gone",
            "banned": _shown(banned) if banned is not None else None,
            "deleted_at": _time(account.leaves) if account.leaves else "",
        }

    async def _delete_account(self, asked: Question) -> Answer:
        """After ``seconds``, by default the grace; whoever is in is sent out at once."""
        seconds = asked.number("seconds", GRACE)
        if not 0.0 <= seconds <= _LONGEST_GRACE:
            raise Refusal("An account is deleted within a year.")
        if asked.flag("dry_run"):
            account, leaves = await self._accounts.find(asked.text("name")), self._wall() + seconds
        else:
            account, leaves = await self._accounts.delete(asked.text("name"), seconds)
        return {"name": account.name, "character": account.character, "deleted_at": _time(leaves)}

    async def _keep_account(self, asked: Question) -> Answer:
        return {"name": (await self._accounts.keep(asked.text("name"))).name}

    async def _export_account(self, asked: Question) -> Answer:
        return {"kept": await self._accounts.export(asked.text("name"))}

    async def _set_password(self, asked: Question) -> Answer:
        return {"name": (await self._accounts.set_password(asked.text("name"), asked.text("password"))).name}

    async def _set_role(self, asked: Question) -> Answer:
        account = await self._accounts.set_keeper(asked.text("name"), asked.flag("keeper"))
        return {"name": account.name, "keeper": account.keeper}

    # ── bans and mutes ──────────────────────────────────────────────────────────────────────────

    async def _ban(self, asked: Question) -> Answer:
        """Whoever it is on is sent away at once; ``sent_away`` are their names."""
        kind, what, shown = await self._on(asked)
        wall, seconds = self._wall(), asked.number("seconds", 0.0)
        until = wall + seconds if seconds > 0 else 0.0
        ban = Sanction(kind, what, shown, wall, until, asked.text("reason", ""), _BY)
        if not asked.flag("dry_run"):
            self._accounts.sanctions.add(ban, wall)
        sent = [one for one in self._realm.every_session() if _is_on(ban, one)]
        if not asked.flag("dry_run"):
            for session in sent:
                self._realm.kick(session, ban.sentence())
        return {**_shown(ban), "sent_away": [session.me.name for session in sent]}

    async def _unban(self, asked: Question) -> Answer:
        kind, what, _ = await self._on(asked)
        return _shown(self._accounts.sanctions.lift(kind, what, self._wall()))

    async def _on(self, asked: Question) -> tuple[Kind, str, str]:
        kind, what = asked.text("kind"), asked.text("what")
        if kind == "address":
            network = network_of(what)
            return Kind.ADDRESS, network, network
        if kind == "account":
            account = await self._accounts.find(what)
            return Kind.ACCOUNT, account.key, account.name
        if kind == "name":
            return Kind.NAME, names.key(what.strip()), what.strip()
        raise Refusal("A ban is on an address, an account or a name.")

    async def _mute(self, asked: Question) -> Answer:
        seconds = asked.number("seconds", 600.0)
        if not 1.0 <= seconds <= _MUTE:
            raise Refusal("A mute is for a second to a year.")
        session = self._realm.find_player(asked.text("name"))
        self._realm.mute(session, seconds, asked.text("reason", ""), _BY)
        why = f" {asked.text('reason', '')}".rstrip()
        self._realm.words_to(session, f"You may not speak on channels, in tells and shouts for a while.{why}")
        return {"name": session.me.name, "seconds": seconds}

    async def _unmute(self, asked: Question) -> Answer:
        """By the name they had, whether they play or not."""
        name, wall = asked.text("name"), self._wall()
        for one in self._accounts.sanctions.every(wall):
            if one.kind is Kind.MUTE and one.shown.lower() == name.lower():
                self._accounts.sanctions.lift(one.kind, one.what, wall)
                self._realm.channels.mute(EntityId(one.what), 0.0)
                return {"name": one.shown}
        raise Refusal(f"Nobody called {name} is muted.")

    async def _bans(self, asked: Question) -> Answer:
        return {"bans": [_shown(one) for one in self._accounts.sanctions.every(self._wall())]}

    def _wall(self) -> float:
        return self._realm.clock.wall()

    # ── drain ───────────────────────────────────────────────────────────────────────────────────

    async def _drain(self, asked: Question) -> Answer:
        """Nobody new comes in; who plays goes on, and who comes back to a session too. Everything is saved."""
        if not self._accounts.draining:
            self._accounts.draining = "Nobody new is let in just now, for the world will close. Try again later."
            self._health.state = "draining"
            words = asked.text("message", "") or "The world will close soon, and nobody new is let in. You can play on."
            self._realm.tell_all(line("system", Span("[notice] ", Role.WARNING), words))
            self._realm.save()
        return {"players": sum(1 for _ in self._realm.sessions())}

    async def _upgrade(self, asked: Question) -> Answer:
        seconds = asked.number("seconds", 30.0)
        if not 1.0 <= seconds <= _READY:
            raise Refusal(f"A new process gets 1 to {_READY:.0f} seconds to get ready.")
        return await self._upgrade_in(seconds)

    async def _resume(self, asked: Question) -> Answer:
        stays = self._stay()
        if not self._accounts.draining and not stays:
            raise Refusal("Everybody is let in, and no end is near: there is nothing to resume.")
        self._accounts.draining = ""
        if self._health.state == "draining":
            self._health.state = ""
        words = "The world does not close after all." if stays else "The world is open to everybody again."
        self._realm.tell_all(line("system", Span("[notice] ", Role.WARNING), words))
        return {"stays": stays}


def _is_on(ban: Sanction, session: Session) -> bool:
    """Whether a ban is on who plays by a session."""
    if ban.kind is Kind.ADDRESS:
        network = ip_network(ban.what)
        return any(_within(connection.address, network) for connection in session.connections)
    return session.me.account is not None and names.key(session.me.name) == ban.what


def _within(address: str, network: IPv4Network | IPv6Network) -> bool:
    try:
        ip = ip_address(unmapped(address))
    except ValueError:
        return False
    return ip.version == network.version and ip in network


def _shown(one: Sanction) -> Answer:
    return {
        "kind": one.kind.value,
        "what": one.shown,
        "since": _time(one.since),
        "until": _time(one.until) if one.until else "",
        "reason": one.reason,
        "by": one.by,
    }


def _time(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="seconds")
