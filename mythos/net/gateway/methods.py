"""The methods of the gateway's API: what a client may call, and what each gives back.

A method gets the session and its parameters, checks them, and returns its result; one that waits for the network
returns a :class:`Later`. Names of parameters and results are those that clients in use rely on; see ``/api/docs``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from mythos.net.gateway.events import clean, now_text
from mythos.net.gateway.mud import Presence
from mythos.net.gateway.params import NAME, a_flag, a_name, a_number, a_text, a_time, an_object, the_target, the_words
from mythos.net.gateway.session import ApiSession
from mythos.wire.i3 import packets
from mythos.wire.i3.packets import ChannelInfo, MudInfo, Packet
from mythos.wire.jsonrpc import Code, RpcError

__all__ = ["METHODS", "Later", "Method", "Service"]

#: Longest wait for an answer of the network, in seconds.
WAIT: Final = 60.0
#: Most users of one list of them.
USERS: Final = 512
#: Most channels that one client joins.
CHANNELS: Final = 100

Result = dict[str, Any]


class Service(Protocol):
    """The gateway, as its methods need it."""

    longest: int

    def wall(self) -> float: ...

    def seconds(self) -> float: ...

    def uptime(self) -> float: ...

    def connected(self) -> int:
        """Sessions with a connection."""

    def on_channel(self, channel: str) -> list[tuple[str, str]]:
        """(MUD, user) of those of this gateway's MUDs who are known to be on a channel."""

    def joined(self, session: ApiSession, channel: str, user: str, *, joined: bool) -> None:
        """Tell whom it concerns that a client joined a channel, or left it."""


@dataclass(slots=True)
class Later:
    """A result that comes when the network has answered: ``start`` is called with what takes it."""

    start: Callable[[Callable[[Result], None]], None]


@dataclass(frozen=True, slots=True)
class Method:
    """:ivar permission: that a key must have; empty: every key has it
    :ivar needs: parameters that must be there
    """

    run: Callable[[Service, ApiSession, Mapping[str, Any]], Result | Later]
    permission: str
    needs: tuple[str, ...] = ()
    help: str = ""


# ── what is said ────────────────────────────────────────────────────────────────────────────────


def _send(session: ApiSession, packet: Packet) -> None:
    link = session.mud.link
    if not link.up:
        raise RpcError(Code.GATEWAY, "Not connected to a router just now. Nothing was sent.")
    if not link.send(packet):
        raise RpcError(Code.GATEWAY, "Too much waits for the router. Nothing was sent; try again in a moment.")


def _sent(service: Service, what: str) -> Result:
    return {"status": "sent", "message_id": f"{what}_{service.wall():.6f}"}


def _tell(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    return _private(service, session, params, packets.Tell, "tell", the_words(params, service.longest, "message"))


def _emoteto(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    words = the_words(params, service.longest, "emote", "message")
    return _private(service, session, params, packets.EmoteTo, "emoteto", _emote(words))


def _private(
    service: Service, session: ApiSession, params: Mapping[str, Any], kind: type[Any], what: str, words: str
) -> Result:
    mud = session.mud
    target = mud.link.directory.mud(a_name(params, "target_mud"))
    user = the_target(params)
    speaker = a_name(params, "from_user", "Someone")
    _send(session, kind(mud.name, speaker.lower(), target, user.lower(), speaker, words))
    sent = _sent(service, f"{what}_{target}")
    if mud.link.tells_wait:
        sent["queued"] = True
    return sent


def _emote(words: str) -> str:
    return words if "$N" in words else f"$N {words}"


def _channel_send(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    return _speak(
        service,
        session,
        params,
        packets.ChannelMessage,
        "message",
        "channel",
        the_words(params, service.longest, "message"),
    )


def _channel_emote(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    words = _emote(the_words(params, service.longest, "emote", "message"))
    if params.get("target_mud") is None:
        return _speak(service, session, params, packets.ChannelEmote, "emote", "channel_emote", words)
    mud, channel = session.mud, a_name(params, "channel")
    target, user = mud.link.directory.mud(a_name(params, "target_mud")), the_target(params)
    speaker = a_name(params, "from_user", "Someone")
    visname = a_name(params, "visname", speaker)
    aimed = _emote(a_text(params, "message_target", words, service.longest))
    packet = packets.ChannelTargetedEmote(
        *(mud.name, speaker.lower(), "", "", channel, target, user.lower(), words, aimed, visname, user)
    )
    _send(session, packet)
    mud.said_at(packet)
    return _sent(service, f"channel_emote_{channel}")


def _speak(
    service: Service,
    session: ApiSession,
    params: Mapping[str, Any],
    kind: type[Any],
    event: str,
    what: str,
    words: str,
) -> Result:
    mud = session.mud
    channel = a_name(params, "channel")
    speaker = a_name(params, "from_user", "Someone")
    visname = a_name(params, "visname", speaker)
    _send(session, kind(mud.name, speaker.lower(), "", "", channel, visname, words))
    mud.said(event, channel, speaker.lower(), visname, words)
    return _sent(service, f"{what}_{channel}")


# ── channels ────────────────────────────────────────────────────────────────────────────────────


def _channel_join(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    channel = a_name(params, "channel")
    a_flag(params, "listen_only")
    user = "" if params.get("user_name") in (None, "") else a_name(params, "user_name")
    if channel not in session.channels and len(session.channels) >= CHANNELS:
        raise RpcError(Code.PARAMS, f"A client joins up to {CHANNELS} channels.")
    fresh = channel not in session.channels
    session.channels[channel] = user
    session.mud.changed = True
    session.mud.listen_again()
    if fresh:
        service.joined(session, channel, user, joined=True)
    return {"status": "joined", "channel": channel}


def _channel_leave(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    channel = a_name(params, "channel")
    user = session.channels.pop(channel, None)
    if user is not None:
        session.mud.changed = True
        session.mud.listen_again()
        service.joined(session, channel, user, joined=False)
    return {"status": "left", "channel": channel}


def _channel_list(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    a_flag(params, "refresh")
    wanted = an_object(params, "filter")
    least = a_number(wanted, "min_members", 0, 0, 1e9)
    found = []
    for name, info in sorted(session.mud.link.directory.channels.items()):
        members = len(service.on_channel(name))
        if _listed(info, wanted) and members >= least:
            found.append({"name": name, "owner": info.host, "type": info.kind, "member_count": members})
    return {
        "status": "success",
        "channels": found,
        "count": len(found),
        "subscribed_channels": sorted(session.channels),
    }


def _listed(info: ChannelInfo, wanted: Mapping[str, Any]) -> bool:
    kind, owner = wanted.get("type"), wanted.get("owner")
    return kind in (None, info.kind, str(info.kind)) and owner in (None, info.host)


def _channel_who(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result | Later:
    channel = a_name(params, "channel")

    def given(found: Sequence[tuple[str, str]]) -> Result:
        by_mud: dict[str, list[str]] = {}
        for mud, user in found:
            by_mud.setdefault(mud, []).append(user)
        members = [{"mud": mud, "users": users} for mud, users in by_mud.items()]
        users = [{"mud": mud, "user": user} for mud, user in found]
        return {"status": "success", "channel": channel, "members": members, "users": users}

    if params.get("target_mud") is None:
        return given(service.on_channel(channel))
    mud = session.mud
    target = mud.link.directory.mud(a_name(params, "target_mud"))
    wait = a_number(params, "wait", 10, 0.1, WAIT)
    _send(session, packets.ChannelWhoRequest(mud.name, "*", target, "", channel))

    def start(answer: Callable[[Result], None]) -> None:
        def came(reply: Mapping[str, Any] | None) -> None:
            names = [str(name) for name in (reply or {}).get("users", ())]
            answer({**given([(target, name) for name in names]), **_came_to(reply)})

        mud.ask(packets.ChannelWhoReply, target, channel, wait, came)

    return Later(start)


def _came_to(reply: Mapping[str, Any] | None) -> Result:
    """What became of a question: answered, refused by the network, or neither in time."""
    if reply is None:
        return {"status": "timeout"}
    if "error_code" in reply:
        return {"status": "failed", "error_code": reply["error_code"], "message": reply["error_message"]}
    return {"status": "success"}


def _channel_history(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    channel = a_name(params, "channel")
    limit = int(a_number(params, "limit", 50, 0, 100))
    before, after = a_time(params, "before", float("inf")), a_time(params, "after", float("-inf"))
    found = session.mud.past(channel, limit, before, after) if limit else []
    return {"status": "success", "channel": channel, "messages": found, "count": len(found)}


# ── channels of one's own ───────────────────────────────────────────────────────────────────────


def _channel_add(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    channel, kind = a_name(params, "channel"), int(a_number(params, "type", 0, 0, 2))
    _send(session, packets.ChannelAdd(session.mud.name, "", session.mud.link.router, "", channel, kind))
    return {"status": "requested", "channel": channel}


def _channel_remove(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    channel = a_name(params, "channel")
    _send(session, packets.ChannelRemove(session.mud.name, "", session.mud.link.router, "", channel))
    return {"status": "requested", "channel": channel}


def _channel_admin(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    channel = a_name(params, "channel")
    add, remove = _muds(session, params, "add"), _muds(session, params, "remove")
    if not add and not remove:
        raise RpcError(Code.PARAMS, "Missing required parameters: add or remove")
    _send(session, packets.ChannelAdmin(session.mud.name, "", session.mud.link.router, "", channel, add, remove))
    return {"status": "requested", "channel": channel}


def _channel_admin_list(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result | Later:
    channel, mud = a_name(params, "channel"), session.mud
    wait = a_number(params, "wait", 10, 0.1, WAIT)
    _send(session, packets.ChannelAdminList(mud.name, "*", mud.link.router, "", channel))

    def start(answer: Callable[[Result], None]) -> None:
        def came(reply: Mapping[str, Any] | None) -> None:
            found = {"channel": channel, "muds": list((reply or {}).get("muds", ()))}
            answer({**found, **_came_to(reply)})

        mud.ask(packets.ChannelAdminListReply, mud.link.router, channel, wait, came)

    return Later(start)


def _muds(session: ApiSession, params: Mapping[str, Any], name: str) -> list[str]:
    value = params.get(name)
    if value is None:
        return []
    if type(value) is not list or len(value) > CHANNELS or not all(map(_is_name, value)):
        raise RpcError(Code.PARAMS, f"{name} is an array of up to {CHANNELS} names of MUDs.")
    return [session.mud.link.directory.mud(one) for one in value]


def _is_name(value: Any) -> bool:
    return type(value) is str and 0 < len(value) <= NAME and value.isprintable()


# ── questions to the network ────────────────────────────────────────────────────────────────────


def _ask(
    session: ApiSession,
    params: Mapping[str, Any],
    packet: Packet,
    kind: type[Packet],
    requested: Result,
    failed: str,
    given: Callable[[Mapping[str, Any]], Result],
) -> Result | Later:
    """``requested`` at once, and the reply as an event; with ``wait`` the reply is the result."""
    wait = a_number(params, "wait", 0, 0, WAIT)
    if not session.mud.question(packet):
        return {"status": "failed", "message": failed}
    if not wait:
        return requested

    def start(answer: Callable[[Result], None]) -> None:
        def came(reply: Mapping[str, Any] | None) -> None:
            found = given(reply) if reply is not None and "error_code" not in reply else {}
            answer({**requested, **found, **_came_to(reply)})

        user = packet.user if isinstance(packet, packets.LocateRequest) else ""
        session.mud.ask(kind, packet.to_mud, user, wait, came)

    return Later(start)


def _who(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result | Later:
    mud = session.mud
    target = mud.link.directory.mud(a_name(params, "target_mud"))
    wanted = an_object(params, "filters")
    low = a_number(wanted, "min_level", 0, 0, 1e9)
    high = a_number(wanted, "max_level", 1e9, 0, 1e9)
    asker = a_name(params, "from_user", "*").lower()

    def given(reply: Mapping[str, Any]) -> Result:
        return {"users": [one for one in reply["users"] if low <= one["level"] <= high]}

    return _ask(
        session,
        params,
        packets.WhoRequest(mud.name, asker, target, ""),
        packets.WhoReply,
        {"status": "requested", "mud_name": target, "users": []},
        f"Could not query {target}",
        given,
    )


def _finger(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result | Later:
    mud = session.mud
    target = mud.link.directory.mud(a_name(params, "target_mud"))
    user = the_target(params)
    asker = a_name(params, "from_user", "*").lower()
    return _ask(
        session,
        params,
        packets.FingerRequest(mud.name, asker, target, "", user.lower()),
        packets.FingerReply,
        {"status": "requested", "mud_name": target, "user_name": user},
        f"Could not query {target}",
        lambda reply: {"user_info": reply["user_info"]},
    )


def _locate(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result | Later:
    mud = session.mud
    user = the_target(params)
    asker = a_name(params, "from_user", "*").lower()
    return _ask(
        session,
        params,
        packets.LocateRequest(mud.name, asker, "", "", user.lower()),
        packets.LocateReply,
        {"status": "requested", "user_name": user, "locations": []},
        f"Could not look for {user}",
        lambda reply: {"locations": [{name: reply[name] for name in _LOCATION}]},
    )


_LOCATION = ("located_mud", "located_user", "idle", "status")


def _mudlist(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    a_flag(params, "refresh")
    wanted = an_object(params, "filter")
    muds = [_mud(name, info) for name, info in sorted(session.mud.link.directory.muds.items())]
    for key in ("status", "driver"):
        if wanted.get(key) is not None:
            muds = [one for one in muds if one[key] == wanted[key]]
    if wanted.get("has_service") is not None:
        muds = [one for one in muds if one["services"].get(str(wanted["has_service"]))]
    return {"status": "success", "muds": muds, "count": len(muds)}


def _mud(name: str, info: MudInfo) -> Result:
    status = "up" if info.up else "down" if info.state == 0 else "reboot" if info.state > 0 else "unknown"
    return {
        "name": name,
        "host": clean(info.address),
        "address": clean(info.address),
        "port": info.player_port,
        "tcp_port": info.tcp_port,
        "udp_port": info.udp_port,
        "driver": clean(info.driver),
        "mudlib": clean(info.mudlib),
        "lib": clean(info.mudlib),
        "mud_type": clean(info.mud_type),
        "status": status,
        "services": {clean(str(service)): on for service, on in info.services.items() if type(on) is int},
        "open_status": clean(info.open_status),
        "admin_email": clean(info.admin_email),
    }


# ── who plays ───────────────────────────────────────────────────────────────────────────────────

_TEXTS: Final = {"title": 256, "race": 128, "guild": 128, "location": 256, "status": 256}


def _presence_sync(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    users = params["users"]
    if type(users) is not list or len(users) > USERS:
        raise RpcError(Code.PARAMS, f"users is an array of up to {USERS}.")
    found: dict[str, Result] = {}
    for number, one in enumerate(users):
        if type(one) is not dict:
            raise RpcError(Code.PARAMS, f"users[{number}] is an object.")
        user = _user(one)
        if user["name"].lower() in found:
            raise RpcError(Code.PARAMS, f"users[{number}]: {user['name']} is there twice.")
        found[user["name"].lower()] = user
    mud = session.mud
    before = mud.users()
    mud.presence = Presence(found, service.seconds())
    for name in () if before is None else sorted(set(before) ^ set(found)):
        online = name in found
        shown = found[name]["name"] if online else before[name]["name"] if before else name
        status = "online" if online else "offline"
        mud.emit("user_status_changed", {"mud": mud.name, "user": shown, "status": status}, "info")
    return {"status": "synchronized", "mud_name": mud.name, "count": len(found)}


def _user(one: Mapping[str, Any]) -> Result:
    if one.get("name") is None:
        raise RpcError(Code.PARAMS, "A user has a name.")
    user: Result = {"name": a_name(one, "name")}
    for name, longest in _TEXTS.items():
        text = a_text(one, name, longest=longest).strip()
        if text and not text.isprintable():
            raise RpcError(Code.PARAMS, f"{name} holds control characters.")
        if text:
            user[name] = text
    for name, high in (("level", 1000), ("idle", 31_536_000)):
        if one.get(name) is not None:
            if type(one[name]) is not int:
                raise RpcError(Code.PARAMS, f"{name} is an integer.")
            user[name] = int(a_number(one, name, 0, 0, high))
    if type(one.get("login_time")) is str:
        user["login_time"] = a_text(one, "login_time", longest=64)
    elif one.get("login_time") is not None:
        user["login_time"] = a_number(one, "login_time", 0, 0, 32_503_680_000)
    return user


# ── the gateway itself ──────────────────────────────────────────────────────────────────────────


def _now(service: Service) -> str:
    return now_text(service.wall()).rstrip("Z")


def _ping(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    return {"pong": True, "timestamp": _now(service)}


def _heartbeat(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    return {"status": "ok", "timestamp": _now(service)}


def _status(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    link = session.mud.link
    return {
        "connected": link.up,
        "mud_name": session.mud.name,
        "session_id": session.id,
        "uptime": service.uptime(),
        "router": link.router if link.up else "",
        "services": [name for name, method in METHODS.items() if session.key.permits(method.permission)],
    }


def _stats(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    link = session.mud.link
    directory = link.directory
    return {
        "mud_count": len(directory.muds),
        "online_muds": sum(info.up for info in directory.muds.values()),
        "channel_count": len(directory.channels),
        "session_count": service.connected(),
        "connections": service.connected(),
        "mudlist_id": directory.mudlist_id,
        "chanlist_id": directory.chanlist_id,
        "gateway_connected": link.up,
        "packets_sent": link.sent,
        "packets_received": link.heard,
        "errors": link.bad + link.dropped,
    }


def _reconnect(service: Service, session: ApiSession, params: Mapping[str, Any]) -> Result:
    session.mud.link.reconnect()
    return {"status": "reconnecting"}


#: Every method but ``authenticate``, which is there before there is a session.
METHODS: Final[Mapping[str, Method]] = {
    "tell": Method(_tell, "tell", ("target_mud", "message"), "Tell a user of another MUD something."),
    "emoteto": Method(_emoteto, "tell", ("target_mud",), "An emote for a user of another MUD."),
    "channel_send": Method(_channel_send, "channel", ("channel", "message"), "Say something on a channel."),
    "channel_emote": Method(_channel_emote, "channel", ("channel",), "An emote on a channel."),
    "channel_join": Method(_channel_join, "channel", ("channel",), "Hear a channel."),
    "channel_leave": Method(_channel_leave, "channel", ("channel",), "Hear a channel no more."),
    "channel_list": Method(_channel_list, "channel", (), "The channels of the network."),
    "channel_who": Method(_channel_who, "channel", ("channel",), "Who is on a channel."),
    "channel_history": Method(_channel_history, "channel", ("channel",), "The last lines of a channel."),
    "channel_add": Method(_channel_add, "admin", ("channel",), "Make a channel of your MUD's."),
    "channel_remove": Method(_channel_remove, "admin", ("channel",), "Remove a channel of your MUD's."),
    "channel_admin": Method(
        _channel_admin, "admin", ("channel",), "Change whom a channel of your MUD's bans or admits."
    ),
    "channel_admin_list": Method(
        _channel_admin_list, "admin", ("channel",), "Whom a channel of your MUD's bans or admits."
    ),
    "who": Method(_who, "info", ("target_mud",), "Who plays on another MUD."),
    "finger": Method(_finger, "info", ("target_mud",), "What is known of a user of another MUD."),
    "locate": Method(_locate, "info", (), "Which MUD a user is on."),
    "mudlist": Method(_mudlist, "info", (), "The MUDs of the network."),
    "presence_sync": Method(_presence_sync, "info", ("users",), "Say who plays on your MUD."),
    "ping": Method(_ping, "", (), "Whether the gateway answers."),
    "heartbeat": Method(_heartbeat, "", (), "The same, for clients that say it every 30 seconds."),
    "status": Method(_status, "", (), "Your session, and whether the router is there."),
    "stats": Method(_stats, "", (), "Numbers of the gateway."),
    "reconnect": Method(_reconnect, "admin", (), "Leave the router and come back."),
}
