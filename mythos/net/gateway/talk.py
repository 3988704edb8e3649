"""One connection's talk: messages in, responses out, from authentication on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from twisted.logger import Logger

from mythos.flow.limit import Spend
from mythos.net.gateway.keys import Key
from mythos.net.gateway.methods import METHODS, Later
from mythos.net.gateway.session import ApiSession, Door
from mythos.wire import jsonrpc
from mythos.wire.jsonrpc import Code, Request, RpcError

if TYPE_CHECKING:
    from mythos.net.gateway.gateway import Gateway

__all__ = ["Talk"]

_log = Logger()

#: Keys that are no good before the connection is closed, and messages it may send before it has shown one.
TRIES: Final = 5
STRANGER: Final = 20
#: Messages in vain, which no rate holds back, before a connection is not read for so many seconds.
VAIN: Final = 100
REST: Final = 1.0
#: Below so much of what it may send at once a client is warned, once in so many seconds.
WARNING: Final = 0.2
WARNED: Final = 60.0


class Talk:
    """:ivar session: None until it has authenticated"""

    def __init__(self, gateway: Gateway, door: Door) -> None:
        self.session: ApiSession | None = None
        self._gateway = gateway
        self._door = door
        self._tries = 0
        self._messages = 0
        self._vain = 0
        self._enough = ""  # why it must go, once it has been answered

    def enter(self, secret: str) -> None:
        """It showed its key before its first message, which needs no answer then."""
        key = self._find(secret)
        if key is not None:
            self.session = self._gateway.enter(key, self._door, None)
            self._gateway.welcome(self.session)

    def received(self, data: bytes) -> None:
        """One message of the client: a request, a notification, or a batch of them."""
        try:
            asked = jsonrpc.decode(data)
        except RpcError as wrong:
            self._counted()
            self.in_vain()
            self._door.send(jsonrpc.error(wrong))
            if self.session is None and self._gateway.keys.keyless:
                self._enough = "authenticate first"  # a browser that was made to send a form goes on with its body
        else:
            if isinstance(asked, Request):
                self._carry_out(asked, self._door.send)
            else:
                for _ in range(sum(isinstance(one, RpcError) for one in asked)):
                    self._counted()
                    self.in_vain()
                _Batch(self._door.send, asked, self._carry_out)
        if self._enough:
            self._door.close(1008, self._enough)

    def _find(self, secret: str) -> Key | None:
        return self._gateway.keys.find(secret, self._door.address, alone=self._door.alone)

    def left(self) -> None:
        """The connection is gone."""
        session, self.session = self.session, None
        if session is not None and session.door is self._door:
            self._gateway.away(session)

    def _counted(self) -> None:
        if self.session is None:
            self._messages += 1
            if self._messages >= STRANGER:
                self._enough = "authenticate first"

    def in_vain(self) -> None:
        """It sent what no rate holds back. Who does that without end has to wait."""
        self._vain += 1
        if self._vain >= VAIN:
            self._vain = 0
            self._door.rest(REST)

    def _carry_out(self, request: Request, send: Callable[[bytes], None]) -> None:
        """Run it; ``send`` gets its response, at once or later, or is never called for a notification."""
        self._counted()
        try:
            result = self._run(request)
        except RpcError as wrong:
            wrong.id = request.id
            if request.answered:
                send(jsonrpc.error(wrong))
            return
        except Exception:  # the boundary of a request
            _log.failure("the method {method} broke", method=request.method)
            if request.answered:
                send(jsonrpc.error(RpcError(Code.INTERNAL, "Something broke in the gateway.", request.id)))
            return
        if isinstance(result, Later):
            result.start(lambda found: send(jsonrpc.result(request.id, found)) if request.answered else None)
        elif request.answered:
            send(jsonrpc.result(request.id, result))
        if request.method == "authenticate":
            self._gateway.welcome(self._session())

    def _session(self) -> ApiSession:
        if self.session is None:
            raise RpcError(Code.NOT_AUTHENTICATED, "Not authenticated. Please authenticate first.")
        return self.session

    def _run(self, request: Request) -> Any:
        params = request.params
        if request.method == "authenticate":
            return self._authenticate(params)
        session = self._session()
        if session.door is not self._door:
            raise RpcError(Code.SESSION, "This session goes on by another connection.")
        self._pace(session)
        method = METHODS.get(request.method)
        if method is None:
            raise RpcError(Code.METHOD, f"Unknown method: {request.method}")
        own = session.of_methods.get(request.method)
        if own is not None and own.take(self._gateway.seconds()) > 0.0:
            raise RpcError(Code.RATE, f"Rate limit exceeded for {request.method}")
        if not session.key.permits(method.permission):
            raise RpcError(Code.PERMISSION, f"Your key is not for {request.method}: it lacks {method.permission}.")
        missing = [name for name in method.needs if params.get(name) is None]
        if missing:
            raise RpcError(Code.PARAMS, f"Missing required parameters: {', '.join(missing)}")
        return method.run(self._gateway, session, params)

    def _pace(self, session: ApiSession) -> None:
        now = self._gateway.seconds()
        bucket, shared = session.bucket, self._gateway.shared
        alone = shared is not None and not shared.up
        wait = bucket.take(now, float(shared.servers) if shared is not None and alone else 1.0)
        if not wait and shared is not None and not alone:
            wait = shared.charge(Spend(f"gateway:{session.key.digest[:32]}", bucket.rate, bucket.burst), 1)
        if wait > 0.0:
            self.in_vain()
            raise RpcError(Code.RATE, "Rate limit exceeded")
        left = bucket.left
        if left < bucket.burst * WARNING and now - session.warned > WARNED:
            session.warned = now
            self._gateway.warn(session, int(left))

    def _authenticate(self, params: Mapping[str, Any]) -> dict[str, Any]:
        session = self.session
        if session is not None and session.door is self._door:
            self.in_vain()
            return {"status": "success", "mud_name": session.mud.name, "session_id": session.id}
        if self._enough:
            raise RpcError(Code.NOT_AUTHENTICATED, self._enough)
        secret = params.get("api_key")
        if type(secret) is not str or not secret:
            raise RpcError(Code.PARAMS, "Missing api_key parameter")
        key = self._find(secret)
        if key is None:
            self._tries += 1
            if self._tries >= TRIES:
                self._enough = "too many keys that are no good"
            raise RpcError(Code.NOT_AUTHENTICATED, "Invalid API key")
        id, last = params.get("session_id"), params.get("last_seq")
        old = self._gateway.resumable(id, key) if type(id) is str else None
        self.session = session = self._gateway.enter(key, self._door, old)
        found = {"status": "authenticated", "mud_name": session.mud.name, "session_id": session.id, "seq": session.seq}
        if id is not None:
            found["resumed"] = old is not None
        if old is not None:
            session.resume_from = last if type(last) is int and 0 <= last <= session.seq else session.left_at
            found["missed"], found["lost"] = session.missed(session.resume_from)
        return found


class _Batch:
    """Requests that are answered together, once the last one is."""

    def __init__(
        self,
        send: Callable[[bytes], None],
        requests: list[Request | RpcError],
        carry_out: Callable[[Request, Callable[[bytes], None]], None],
    ) -> None:
        self._send = send
        self._responses: list[bytes] = []
        self._open = sum(isinstance(one, RpcError) or one.answered for one in requests)
        for one in requests:
            if isinstance(one, RpcError):
                self._answered(jsonrpc.error(one))
            else:
                carry_out(one, self._answered)

    def _answered(self, response: bytes) -> None:
        self._responses.append(response)
        self._open -= 1
        if not self._open:
            self._send(jsonrpc.join(self._responses))
