"""What operators ask of a server with a world over the control socket: who plays, words to all, accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from mythos.net.control import Answer, Order, Question, ServerOrders
from mythos.net.numbers import Counted
from mythos.play.accounts import Accounts
from mythos.play.realm import Realm
from mythos.play.sessions import Session
from mythos.telemetry.health import Health
from mythos.telemetry.tail import Tail
from mythos.wire.message import Role, Span, line

__all__ = ["WorldOrders"]

#: Letters of a session's id that name it.
_ID = 6


class WorldOrders(ServerOrders):
    """What a server with a world does.

    :param reload: loads the world's files again; returns a sentence
    """

    def __init__(
        self,
        realm: Realm,
        accounts: Accounts,
        health: Health,
        *,
        ports: Callable[[], Mapping[str, int]],
        stop: Callable[[float, str], None],
        counted: Counted,
        tail: Tail | None,
        reload: Callable[[], str],
    ) -> None:
        super().__init__(health, ports=ports, stop=stop, counted=counted, tail=tail)
        self._realm = realm
        self._accounts = accounts
        self._reload = reload

    @property
    def orders(self) -> dict[str, Order]:
        return {
            **super().orders,
            "who": self._who,
            "session": self._session,
            "broadcast": self._broadcast,
            "kick": self._kick,
            "reload": self._reload_world,
            "create-account": self._create_account,
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

    async def _reload_world(self, asked: Question) -> Answer:
        return {"message": self._reload()}

    async def _create_account(self, asked: Question) -> Answer:
        account = await self._accounts.create(asked.text("name"), asked.text("password"), keeper=asked.flag("keeper"))
        return {"name": account.name}
