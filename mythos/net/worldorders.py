"""What operators ask of a server with a world over the control socket: who plays, words to all, accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from mythos.net.control import Answer, Order, Question, ServerOrders
from mythos.play.accounts import Accounts
from mythos.play.realm import Realm
from mythos.telemetry.health import Health
from mythos.wire.message import Role, Span, line

__all__ = ["WorldOrders"]


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
        reload: Callable[[], str],
    ) -> None:
        super().__init__(health, ports=ports, stop=stop)
        self._realm = realm
        self._accounts = accounts
        self._reload = reload

    @property
    def orders(self) -> dict[str, Order]:
        return {
            **super().orders,
            "who": self._who,
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
        realm = self._realm
        now = realm.clock.seconds()
        return {
            "players": [
                {
                    "name": session.me.name,
                    "room": session.me.room,
                    "keeper": session.me.keeper,
                    "guest": session.me.account is None,
                    "idle_s": round(now - session.idle_since),
                    "doors": [f"{connection.kind} from {connection.address}" for connection in session.connections],
                }
                for session in realm.sessions()
            ]
        }

    async def _broadcast(self, asked: Question) -> Answer:
        words = asked.text("text")
        self._realm.tell_all(line("system", Span("[notice] ", Role.WARNING), words))
        return {"heard": sum(1 for _ in self._realm.sessions())}

    async def _kick(self, asked: Question) -> Answer:
        session = self._realm.find_player(asked.text("name"))
        name = session.me.name
        self._realm.kick(session, asked.text("reason", ""))
        return {"name": name}

    async def _reload_world(self, asked: Question) -> Answer:
        return {"message": self._reload()}

    async def _create_account(self, asked: Question) -> Answer:
        account = await self._accounts.create(asked.text("name"), asked.text("password"), keeper=asked.flag("keeper"))
        return {"name": account.name}
