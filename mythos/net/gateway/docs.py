"""The page at ``/api/docs``: the whole API for people, made from the methods themselves and clients that tests run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from mythos.net.gateway.methods import METHODS

__all__ = ["page"]

_EVENTS = {
    "tell_received": ("tell", "from_mud, from_user, to_mud, to_user, message, visname"),
    "emoteto_received": ("tell", "the same, and emote"),
    "channel_message": ("channel", "channel, from_mud, from_user, message, visname"),
    "channel_emote": ("channel", "the same, and emote; target_mud, target_user, message_target if it has a target"),
    "who_reply": ("info", "from_mud, to_mud, to_user, users: [name, idle, level, extra]"),
    "finger_reply": (
        "info",
        "from_mud, to_mud, to_user, user_info: name, title, email, login_time, idle_time …, or {}",
    ),
    "locate_reply": ("info", "from_mud, to_mud, to_user, located_mud, located_user, idle, status"),
    "error_occurred": ("", "error_code, error_message, from_mud, to_mud, to_user, context"),
    "mud_online, mud_offline": ("info", "mud_name, status, info"),
    "channel_joined, channel_left": ("channel", "channel, mud_name: another client of your MUD did it"),
    "user_joined_channel, user_left_channel": ("channel", "channel, user, mud, action: on MUDs of this gateway"),
    "user_status_changed": ("info", "mud, user, status: online, offline or updated"),
    "gateway_reconnected": ("", "message, status, router: the router has let your MUD in"),
    "maintenance_scheduled, shutdown_warning": ("", "message, seconds, at"),
    "rate_limit_warning": ("", "limit, remaining, message"),
}
_ERRORS = {
    -32700: "that is not JSON",
    -32600: "that is no request, or a batch of none or more than 50",
    -32601: "there is no such method",
    -32602: "a parameter is missing or wrong; the message names it",
    -32603: "something broke in the gateway",
    -32000: "authenticate first, or: that key is no good",
    -32001: "too many requests; wait a little",
    -32002: "your key is not for this",
    -32003: "your session goes on by another connection",
    -32004: "the gateway is on no router just now, or too much waits for it: nothing was sent",
}
_PARAMS = {
    "tell": "target_mud, target_user, message, from_user?",
    "emoteto": "target_mud, target_user, emote, from_user?",
    "channel_send": "channel, message, from_user?, visname?",
    "channel_emote": "channel, emote, from_user?, visname?; target_mud?, target_user?, message_target? ($O: whom)",
    "channel_join": "channel, user_name?",
    "channel_leave": "channel",
    "channel_list": "filter? {type, owner, min_members}",
    "channel_who": "channel, target_mud?, wait?",
    "channel_history": "channel, limit?, before?, after?",
    "channel_add": "channel, type? (0 open but for whom it bans, 1 for whom it admits, 2 the same and filtered)",
    "channel_remove": "channel",
    "channel_admin": "channel, add?, remove?: names of MUDs, of those banned or those admitted",
    "channel_admin_list": "channel, wait?",
    "who": "target_mud, filters? {min_level, max_level}, from_user?, wait?",
    "finger": "target_mud, target_user, from_user?, wait?",
    "locate": "target_user, from_user?, wait?",
    "mudlist": "filter? {status, driver, has_service}",
    "presence_sync": "users: [{name, title?, level?, race?, guild?, location?, status?, idle?, login_time?}]",
}


def page(clients: Mapping[str, str]) -> bytes:
    """:param clients: language -> source of a client"""
    methods = [
        (f"<code>{name}</code>", escape(_PARAMS.get(name, "–")), one.permission or "–", escape(one.help))
        for name, one in METHODS.items()
    ]
    events = [(f"<code>{name}</code>", escape(fields), who or "–") for name, (who, fields) in _EVENTS.items()]
    errors = [(str(code), escape(text)) for code, text in _ERRORS.items()]
    sources = "".join(
        [f"<h3>{escape(name)}</h3><pre><code>{escape(text)}</code></pre>" for name, text in clients.items()]
    )
    return _PAGE.format(
        methods=_table(("method", "parameters", "permission", "what it does"), methods),
        events=_table(("event", "parameters", "permission"), events),
        errors=_table(("code", "means"), errors),
        clients=sources,
    ).encode()


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    first = "".join([f'<th scope="col">{cell}</th>' for cell in head])
    rest = "".join(["<tr>" + "".join([f"<td>{cell}</td>" for cell in row]) + "</tr>" for row in rows])
    return f"<table><thead><tr>{first}</tr></thead><tbody>{rest}</tbody></table>"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>The gateway's API</title></head><body><main>
<h1>Intermud-3 for your MUD</h1>
<p>This gateway speaks JSON-RPC 2.0: over WebSocket at <code>/ws</code> or <code>/</code> of this port, one message in
each text frame; and over TCP, one message on each line. Over TCP the gateway says <code>welcome</code> first. Ask
whoever runs it for a key: the key decides the name that your MUD has on the network.</p>
<h2>To begin</h2>
<p>Send <code>authenticate</code> with <code>api_key</code>, or the header <code>X-API-Key</code> with the WebSocket's
request. The answer has <code>session_id</code>. Every event has a number, <code>seq</code>. Come back within five
minutes with <code>{{"api_key": …, "session_id": …, "last_seq": …}}</code> and you get what you missed; your channels
are still joined. Tells that come while no client of your MUD is there wait as long and are given to the first that
comes.</p>
<h2>Methods</h2>
<p>Parameters are given by name; those with ? may be left out. A method needs its permission in your key. With
<code>wait</code>, in seconds up to 60, <code>who</code>, <code>finger</code> and <code>locate</code> answer when the
network has; without it they answer <code>requested</code>, and the reply comes as an event. Batches of up to 50 are
welcome;
notifications are carried out and not answered.</p>
{methods}
<p>Where a <code>tell</code> or <code>emoteto</code> has to wait, as the router takes no more just now, its result also
has <code>queued: true</code>: it is kept, and goes out by itself.</p>
<p><code>presence_sync</code> says who plays on your MUD, whole, and is believed for 30 seconds: meanwhile who, finger
and locate are answered from it, and tells for others are sent back. Without it your MUD is told of every tell.</p>
<h2>Events</h2>
<p>Notifications, without <code>id</code>; each also has <code>seq</code> and <code>timestamp</code>. Words may hold
the network's colour codes (<code>%^RED%^</code>), but no control characters.</p> {events}
<h2>Errors</h2>
{errors}
<h2>Small clients</h2>
<p>Each is started with host, port and key, joins <code>gossip</code>, says hello, and prints what it hears.</p>
{clients}
</main></body></html>
"""
