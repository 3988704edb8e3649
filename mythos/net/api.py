"""The HTTP API: logins, tickets, commands of the second road, and health. ``/api/openapi.json`` describes it.

Every error is ``{"error": {"code", "message"}}`` with the right status, and says what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import unquote

import msgspec
from klein import Klein
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.server import Request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from mythos.errors import Refusal, WireError
from mythos.ids import SessionId
from mythos.net.cache import Cache
from mythos.net.doorman import Doorman, is_loopback
from mythos.net.guarded import BODY
from mythos.net.headers import header
from mythos.net.openapi import DOCUMENT
from mythos.net.outlet import Outlet
from mythos.net.requests import Requests
from mythos.net.sse import EventStream
from mythos.play.accounts import Accounts, Grant, TooManyTries, WrongPassword
from mythos.play.ports import NOT_READ, Busy, Clock, NameTaken, StoreDown, TokenInvalid, Tokens
from mythos.play.realm import Realm
from mythos.play.sanctions import Banned
from mythos.play.sessions import Session
from mythos.telemetry.health import Health
from mythos.wire import client, sse
from mythos.wire.clean import sanitize

__all__ = ["Api", "Problem"]

_log = Logger()

#: Seconds a ticket is good.
TICKET = 30.0

_METHODS = (b"DELETE", b"GET", b"HEAD", b"POST")
#: Routes with a part that anybody may choose, as they are counted.
_OPEN_ROUTES = ("/api/v1/admin/cache/",)
#: What a request may be called by who sends it; else it is given a name.
_NAME = re.compile(r"[\w.:-]{1,64}", re.ASCII)

#: See :class:`Api`.
Control = Callable[[str, bytes, str], Coroutine[Any, Any, tuple[int, Mapping[str, Any]]]]

_dumps = msgspec.json.Encoder().encode


class Problem(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class _Credentials(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    password: str


class _Guest(msgspec.Struct, forbid_unknown_fields=True):
    name: str = ""


class _Claim(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    name: str
    password: str


class _NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    old: str
    new: str


class _Password(msgspec.Struct, forbid_unknown_fields=True):
    password: str


class _Refresh(msgspec.Struct, forbid_unknown_fields=True):
    refresh: str


@dataclass(slots=True)
class _Ticket:
    """:ivar shown: the token it was taken with
    :ivar ends: monotonic second; ``spent`` at it, once it is
    """

    session: SessionId
    shown: str
    ends: float
    spent: bool = False


class Api:
    """See the module.

    :ivar control: carries out what an operator orders: a token, a question, an address; returns status and answer
    :ivar is_secure: whether a request came by TLS
    :ivar scale: how much of the server is in use: :func:`mythos.telemetry.scale.scale`
    :ivar observe: told of each answer: the method, the route, and the seconds it took
    """

    def __init__(
        self,
        *,
        realm: Realm,
        accounts: Accounts,
        outlet: Outlet,
        tokens: Tokens,
        clock: Clock,
        health: Health,
        requests: Requests,
        address_of: Callable[[Request], str],
        doorman: Doorman,
        cache: Cache,
    ) -> None:
        self._realm = realm
        self._accounts = accounts
        self._outlet = outlet
        self._tokens = tokens
        self._clock = clock
        self._health = health
        self._requests = requests
        self._address_of = address_of
        self._doorman = doorman
        self._cache = cache
        self._tickets: dict[str, _Ticket] = {}
        self._count = 0  # of requests
        self.control: Control | None = None
        self.is_secure: Callable[[Request], bool] = lambda request: False
        self.scale: Callable[[], Mapping[str, Any]] = dict
        self.observe: Callable[[str, str, float], None] = lambda method, endpoint, seconds: None
        self.app = Klein()
        self._route()

    def _route(self) -> None:
        route = self.app.route
        for path, work in (
            ("guest", self._guest),
            ("register", self._register),
            ("login", self._login),
            ("claim", self._claim),
            ("refresh", self._refresh),
            ("logout", self._logout),
            ("ticket", self._ticket),
            ("commands", self._commands),
            ("control", self._order),
        ):
            route(f"/api/v1/{path}", methods=["POST"], endpoint=path)(self._limited(work))
        for method, path, work in (
            ("GET", "", self._me),
            ("DELETE", "", self._delete_me),
            ("GET", "/export", self._export_me),
            ("POST", "/password", self._set_password),
        ):
            route(f"/api/v1/me{path}", methods=[method], endpoint=f"me{path} {method}")(self._limited(work))
        for path in ("/sse", "/sse/"):
            route(path, methods=["GET"], endpoint="sse" + path)(self._limited(self._stream))
        for path in ("/health", "/health/", "/health/detailed", "/api/health"):
            route(path, methods=["GET"], endpoint="health" + path)(self._answering(self._healthy))
        route("/health/live", methods=["GET"], endpoint="live")(self._answering(self._live))
        route("/health/ready", methods=["GET"], endpoint="ready")(self._answering(self._ready))
        handle: Any = self.app.handle_errors  # its types know no methods
        handle(NotFound)(self._not_found)
        handle(MethodNotAllowed)(self._wrong_method)
        route("/api/v1/nodes/scale", methods=["GET"], endpoint="scale")(self._limited(self._scale))
        route("/api/v1/admin/cache", methods=["GET"], endpoint="cache")(self._limited(self._show_cache))
        route("/api/v1/admin/cache/<space>", methods=["DELETE"], endpoint="cache-clear")(
            self._limited(self._clear_cache)
        )
        route("/api/openapi.json", methods=["GET"], endpoint="openapi")(self._limited(self._openapi))

    # ── how every answer is made ────────────────────────────────────────────────────────────────

    def _limited(self, work: Callable[[Request], Any]) -> Callable[..., Any]:
        async def limited(request: Request) -> Any:
            if refusal := self._doorman.banned(self._address_of(request)):
                raise Problem(403, "banned", refusal)
            wait = await self._requests.wait(request)
            if wait:
                words = f"Too many requests. Wait {wait} second{'s' if wait > 1 else ''}."
                raise Problem(429, "too_many_requests", words)
            return await work(request)

        return self._answering(limited)

    def _answering(self, work: Callable[[Request], Any]) -> Callable[..., Any]:
        async def answer(request: Request) -> Any:
            try:
                found = await work(request)
            except Problem as problem:
                return _error(request, problem.status, problem.code, str(problem))
            except TooManyTries as refusal:
                _log.warn("login refused: {address} has tried too often", address=self._address_of(request))
                request.setHeader(b"retry-after", b"%d" % max(1, round(refusal.wait)))
                return _error(request, 429, "too_many_tries", str(refusal))
            except (Busy, StoreDown) as wait:
                request.setHeader(b"retry-after", b"2")
                return _error(request, 503, "busy", str(wait) if isinstance(wait, Busy) else NOT_READ)
            except WrongPassword as refusal:
                _log.warn("login failed from {address}", address=self._address_of(request))
                return _error(request, 401, "unauthorized", str(refusal))
            except TokenInvalid as refusal:
                return _error(request, 401, "unauthorized", str(refusal))
            except Banned as refusal:
                return _error(request, 403, "banned", str(refusal))
            except NameTaken as refusal:
                return _error(request, 409, "name_taken", str(refusal))
            except Refusal as refusal:
                return _error(request, 400, "refused", str(refusal))
            except Exception:  # the boundary of a request
                name = request.responseHeaders.getRawHeaders("x-request-id", [""])[0]
                _log.failure("{path} failed", path=request.path, request_id=name)
                return _error(request, 500, "fault", f"Something broke on our side ({name}).")
            return found

        def run(request: Request, **parts: str) -> Deferred[Any]:
            asked = self._clock.seconds()
            method = request.method.decode() if request.method in _METHODS else "other"
            path = request.path.decode("latin-1")  # of a route: it is one of few
            path = next((f"{known}..." for known in _OPEN_ROUTES if path.startswith(known)), path)
            self._count += 1
            given = header(request, b"x-request-id")
            request.setHeader("x-request-id", given if _NAME.fullmatch(given) else f"r{self._count:x}")

            def answered(found: Any) -> Any:
                self.observe(method, path, self._clock.seconds() - asked)
                return found

            return Deferred.fromCoroutine(answer(request)).addCallback(answered)

        return run

    def _not_found(self, request: Request, failure: Failure) -> bytes:
        return _error(request, 404, "not_found", "There is nothing at this address.")

    def _wrong_method(self, request: Request, failure: Failure) -> bytes:
        assert isinstance(failure.value, MethodNotAllowed)
        allowed = ", ".join(sorted(set(failure.value.valid_methods or ()) - {"OPTIONS"}))
        request.setHeader(b"allow", allowed.encode())
        return _error(request, 405, "method", f"Send {allowed}.")

    # ── logins ──────────────────────────────────────────────────────────────────────────────────

    async def _guest(self, request: Request) -> bytes:
        _body(request, _Guest)
        return await self._granted(request, self._accounts.guest())

    async def _register(self, request: Request) -> bytes:
        asked = _body(request, _Credentials)
        return await self._granted(request, await self._accounts.register_new(sanitize(asked.name), asked.password))

    async def _login(self, request: Request) -> bytes:
        asked = _body(request, _Credentials)
        address = self._address_of(request)
        return await self._granted(request, await self._accounts.login(sanitize(asked.name), asked.password, address))

    async def _claim(self, request: Request) -> bytes:
        asked = _body(request, _Claim)
        address = self._address_of(request)
        session = await self._accounts.claim(asked.code, sanitize(asked.name), asked.password, address)
        return await self._granted(request, session)

    async def _refresh(self, request: Request) -> bytes:
        return _grant(request, await self._accounts.refresh(_body(request, _Refresh).refresh))

    async def _logout(self, request: Request) -> bytes:
        await self._accounts.logout(await self._session(request))
        return _json(request, {})

    async def _granted(self, request: Request, session: Session) -> bytes:
        grant = await self._accounts.grant(session)
        on_disk: Deferred[None] = Deferred()
        self._realm.commits.after(lambda: on_disk.callback(None), lasting=True)
        await on_disk
        return _grant(request, grant)

    async def _session(self, request: Request) -> Session:
        return await self._accounts.session_by(_bearer(request))

    # ── what is kept on who asks ────────────────────────────────────────────────────────────────

    async def _me(self, request: Request) -> bytes:
        session = await self._session(request)
        me = session.me
        return _json(
            request, {"name": me.name, "session": session.id, "guest": me.account is None, "keeper": me.keeper}
        )

    async def _export_me(self, request: Request) -> bytes:
        found = await self._accounts.export_own(await self._session(request))
        request.setHeader(b"content-disposition", b'attachment; filename="mythos-account.json"')
        return _json(request, found)

    async def _set_password(self, request: Request) -> bytes:
        """With tokens that are good from now on: those of before are not."""
        asked = _body(request, _NewPassword)
        session = await self._session(request)
        await self._accounts.set_own_password(session, asked.old, asked.new)
        return await self._granted(request, session)

    async def _delete_me(self, request: Request) -> bytes:
        asked = _body(request, _Password)
        leaves = await self._accounts.delete_own(await self._session(request), asked.password)
        return _json(request, {"deleted_at": datetime.fromtimestamp(leaves, UTC).isoformat(timespec="seconds")})

    # ── the second road ─────────────────────────────────────────────────────────────────────────

    def kept(self) -> dict[str, Any]:
        """Tickets that are out, for another process: browsers come back with the one they came by."""
        return {digest: asdict(one) for digest, one in self._tickets.items()}

    def restore(self, tickets: Mapping[str, Any]) -> None:
        """What :meth:`kept` gave."""
        self._tickets = {digest: _Ticket(**one) for digest, one in tickets.items()}

    async def _ticket(self, request: Request) -> bytes:
        session = await self._session(request)
        now = self._clock.seconds()
        window = self._realm.pace.window
        self._tickets = {
            digest: one for digest, one in self._tickets.items() if now < one.ends + (window if one.spent else 0.0)
        }
        if len(self._tickets) >= 50_000:
            raise Problem(503, "busy", "Too many tickets are out. Try again in a moment.")
        ticket = self._tokens.secret()
        self._tickets[self._tokens.digest(ticket)] = _Ticket(session.id, _bearer(request), now + TICKET)
        return _json(request, {"ticket": ticket})

    async def _stream(self, request: Request) -> EventStream:
        if request.clientproto != b"HTTP/1.1":
            raise Problem(505, "version", "An event stream needs HTTP/1.1.")
        if request.method != b"GET":  # a HEAD would spend the ticket
            request.setHeader(b"allow", b"GET")
            raise Problem(405, "method", "Send GET.")
        ticket = self._tickets.get(self._tokens.digest(_argument(request, b"ticket")))
        if ticket is None:
            raise Problem(401, "ticket", "That ticket is not good. Take one from POST /api/v1/ticket.")
        place = _place(request)
        session = self._realm.session(ticket.session)
        now = self._clock.seconds()
        if session is None or (now > ticket.ends and not ticket.spent):
            raise Problem(401, "ticket", "That ticket is too old. Take a new one from POST /api/v1/ticket.")
        late = now > ticket.ends + self._realm.pace.window
        if ticket.spent and (place is None or place.epoch != session.log.epoch or late):
            raise Problem(401, "ticket", "That ticket is spent. Take a new one from POST /api/v1/ticket.")
        address = self._address_of(request)
        if refusal := self._doorman.admit(address, now):
            raise Problem(503, "full", refusal)
        if ticket.spent:
            ticket.ends = now
        ticket.spent = True
        ended = partial(self._doorman.leave, address)
        return EventStream(self._outlet, self._realm, session, address, place, ticket.shown, ended)

    async def _commands(self, request: Request) -> bytes:
        session = await self._session(request)
        try:
            frame = client.decode(_read(request))
        except WireError as error:
            raise Problem(400, "bad_frame", str(error)) from error
        if isinstance(frame, client.Attach):
            raise Problem(400, "bad_frame", "t: a stream is attached by GET /sse")
        ack = frame.a if isinstance(frame, client.Ack) else frame.ack
        if ack is not None:
            streams = [connection for connection in session.connections if connection.kind == "sse"]
            shown = self._tokens.digest(_bearer(request))
            for stream in streams:  # of several, the one whose hello brought the token that is shown
                if len(streams) == 1 or stream.token == shown:
                    session.log.ack(stream.cursor, ack)
        if isinstance(frame, client.Ack):
            return _json(request, {}, 202)
        if not session.connections:
            raise Problem(409, "no_stream", "Open GET /sse first: the answer comes on the stream.")
        at_once = self._realm.submit(session, frame.c, sanitize(frame.line))
        if at_once is not None:
            refused, expect, dup = at_once

            def answer() -> None:
                for connection in session.connections:
                    connection.answer(frame.c, refused, expect, dup)

            self._realm.commits.after(answer, lasting=True)
        return _json(request, {"c": frame.c}, 202)

    # ── operators ───────────────────────────────────────────────────────────────────────────────

    async def _order(self, request: Request) -> bytes:
        """An operator's question, as over the control socket."""
        status, answer = await self._carry_out(request, _read(request))
        return _json(request, answer, status)

    async def _carry_out(self, request: Request, question: bytes) -> tuple[int, Mapping[str, Any]]:
        address = self._address_of(request)
        if self.control is None:
            raise Problem(404, "not_found", "There is nothing at this address.")
        if not self.is_secure(request) and not is_loopback(address):
            raise Problem(403, "not_secure", "Orders are taken over HTTPS alone. Revoke that token: it was overheard.")
        return await self.control(_bearer(request), question, address)

    # ── health ──────────────────────────────────────────────────────────────────────────────────

    async def _live(self, request: Request) -> bytes:
        return _json(request, {"status": "alive"})

    async def _ready(self, request: Request) -> bytes:
        await self._health.look()
        reason = self._health.not_ready()
        if reason:
            return _json(request, {"status": "not ready", "reason": reason}, 503)
        return _json(request, {"status": "ready"})

    async def _healthy(self, request: Request) -> bytes:
        await self._health.look()
        found = self._health.detailed(numbers=request.path.endswith(b"/detailed") and await self._is_operator(request))
        return _json(request, found, 503 if found["status"] == "unhealthy" else 200)

    async def _scale(self, request: Request) -> bytes:
        if not await self._is_operator(request):
            _bearer(request)
            raise Problem(403, "forbidden", "Keepers are told this.")
        return _json(request, self.scale())

    async def _show_cache(self, request: Request) -> bytes:
        if _shows_operators_token(request):
            return await self._ordered(request, {"do": "cache"})
        if not await self._is_operator(request):
            _bearer(request)
            raise Problem(403, "forbidden", "Keepers are told this.")
        return _json(request, self._cache.shown())

    async def _clear_cache(self, request: Request) -> bytes:
        """By an operator's token with the right to, or by a keeper."""
        space = unquote(request.path.decode("latin-1").rpartition("/")[2])
        if _shows_operators_token(request):
            return await self._ordered(request, {"do": "cache-clear", "name": space})
        keeper = (await self._session(request)).me
        if not keeper.keeper:
            raise Problem(403, "forbidden", "Keepers may do this.")
        cleared = self._cache.clear(space)
        _log.info("{keeper} cleared the cache of {space}", keeper=keeper.name, space=space)
        return _json(request, {"name": space, "cleared": cleared})

    async def _ordered(self, request: Request, question: Mapping[str, str]) -> bytes:
        """What :meth:`_order` does with a question of the API's own."""
        status, answer = await self._carry_out(request, _dumps(question))
        if status != 200:
            raise Problem(status, "unauthorized" if status == 401 else "too_many_requests", answer["error"])
        if not answer["ok"]:
            raise Problem(403, "refused", answer["error"])
        return _json(request, {name: value for name, value in answer.items() if name != "ok"})

    async def _is_operator(self, request: Request) -> bool:
        """Somebody of this machine, not a proxy on it that speaks for others; or a keeper, by the token shown."""
        forwarded = any(request.getHeader(name) for name in ("forwarded", "x-forwarded-for", "x-real-ip"))
        if is_loopback(self._address_of(request)) and not forwarded:
            return True
        try:
            return (await self._session(request)).me.keeper
        except (Problem, TokenInvalid):
            return False

    async def _openapi(self, request: Request) -> bytes:
        return _json(request, DOCUMENT)


def _json(request: Request, value: Mapping[str, Any], status: int = 200) -> bytes:
    request.setResponseCode(status)
    request.setHeader(b"content-type", b"application/json")
    request.setHeader(b"cache-control", b"no-store")
    return _dumps(value)


def _error(request: Request, status: int, code: str, message: str) -> bytes:
    return _json(request, {"error": {"code": code, "message": message}}, status)


def _grant(request: Request, grant: Grant) -> bytes:
    return _json(
        request, {"token": grant.token, "refresh": grant.refresh, "session": grant.session, "name": grant.name}
    )


def _bearer(request: Request) -> str:
    scheme, _, token = header(request, b"authorization").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem(401, "unauthorized", "Send the header: Authorization: Bearer <token>")
    return token.strip()


def _shows_operators_token(request: Request) -> bool:
    """Those of players have dots in them."""
    token = header(request, b"authorization").partition(" ")[2]
    return bool(token) and "." not in token


def _read(request: Request) -> bytes:
    assert request.content is not None
    body: bytes = request.content.read(BODY + 1)
    if len(body) > BODY:
        raise Problem(413, "too_large", f"A body has at most {BODY} bytes.")
    return body


def _body(request: Request, shape: type[Any]) -> Any:
    try:
        return msgspec.json.decode(_read(request) or b"{}", type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "bad_request", str(error)) from error


def _argument(request: Request, name: bytes) -> str:
    values: list[bytes] = request.args.get(name, [])
    return values[0].decode("utf-8", "replace") if values else ""


def _place(request: Request) -> sse.Position | None:
    given = header(request, b"last-event-id") or _argument(request, b"last")
    if not given:
        return None
    try:
        return sse.parse_position(given)
    except WireError as error:
        raise Problem(400, "bad_position", f"Last-Event-ID: {error}") from error
