"""``i3``: people and channels of other MUDs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from mythos.errors import Refusal
from mythos.play.call import Call
from mythos.play.intermud import KINDS, Intermud
from mythos.play.settings import chosen
from mythos.play.verbs import Rank, Verb
from mythos.wire.i3 import packets, pinkfish
from mythos.wire.message import Line, Role, Span, line

__all__ = ["VERBS"]

#: MUDs and channels of one list.
_LISTED = 60


def _i3(call: Call) -> None:
    intermud = call.realm.intermud
    if intermud is None:
        raise Refusal("This world is not connected to other MUDs.")
    word, _, rest = call.rest.partition(" ")
    what = _WHAT.get(word.lower())
    if what is None:
        raise Refusal(f"Type i3 and one of: {', '.join(_WHAT)}.")
    what(call, intermud, rest.strip())


def _whom(intermud: Intermud, rest: str) -> tuple[str, str, str]:
    """``user@mud: words``, or ``user@mud words`` if the MUD's name is one word."""
    whom, colon, words = rest.partition(":")
    if not colon or "@" not in whom:
        whom, _, words = rest.partition(" ")
    user, mud = intermud.someone(whom.strip())
    if not words.strip():
        raise Refusal("And what? Type, for example: i3 tell ann@Other MUD: hello")
    return user, mud, words.strip()


def _tell(call: Call, intermud: Intermud, rest: str) -> None:
    _tell_them(call, intermud, *_whom(intermud, rest))


def _tell_them(call: Call, intermud: Intermud, user: str, mud: str, words: str) -> None:
    call.realm.channels.pace(call.realm.now, call.me.id)
    intermud.send(packets.Tell, call.me.name, mud, user, call.me.name, pinkfish.write([Span(words)]))
    whom = Span(f"{intermud.visname(user, mud)}@{mud}", Role.PLAYER)
    call.reply(Line("tell", (Span("You tell "), whom, Span(f', "{words}"'))))


def _reply(call: Call, intermud: Intermud, rest: str) -> None:
    user, mud = intermud.told_by(call.me.id)
    if not rest:
        raise Refusal(f"Reply what to {intermud.visname(user, mud)}@{mud}?")
    _tell_them(call, intermud, user, mud, rest)


def _emote(call: Call, intermud: Intermud, rest: str) -> None:
    user, mud, words = _whom(intermud, rest)
    call.realm.channels.pace(call.realm.now, call.me.id)
    intermud.send(packets.EmoteTo, call.me.name, mud, user, call.me.name, pinkfish.write([Span(f"$N {words}")]))
    whom = Span(f"{intermud.visname(user, mud)}@{mud}", Role.PLAYER)
    call.reply(Line("tell", (Span("To "), whom, Span(f": {call.me.name} {words}"))))


def _who(call: Call, intermud: Intermud, rest: str) -> None:
    mud = intermud.mud(rest)
    known = intermud.ask(packets.WhoRequest, call.session, mud)
    call.reply(f"You ask who is on {mud}.", *known)


def _finger(call: Call, intermud: Intermud, rest: str) -> None:
    user, mud = intermud.someone(rest)
    known = intermud.ask(packets.FingerRequest, call.session, mud, user)
    call.reply(f"You ask about {user} on {mud}.", *known)


def _locate(call: Call, intermud: Intermud, rest: str) -> None:
    if not rest:
        raise Refusal("Locate whom?")
    intermud.send(packets.LocateRequest, call.me.name, "", "", rest.lower())
    call.reply(f"You ask all MUDs for {rest.lower()}. Only those where they are will answer.")


def _muds(call: Call, intermud: Intermud, rest: str) -> None:
    intermud.connected()
    found = [name for name, info in sorted(intermud.muds.items()) if info.up and rest.lower() in name.lower()]
    call.reply(f"{len(found)} MUDs are up{f' with {rest} in their names' if rest else ''}:")
    more = f"and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    if chosen(call.me, "screenreader") == "on":
        call.reply(*found[:_LISTED], *([more] if more else ()))
    else:
        call.reply(f"{', '.join(found[:_LISTED])} {more}".rstrip())


def _channels(call: Call, intermud: Intermud, rest: str) -> None:
    intermud.connected()
    mine = intermud.listened(call.session)
    for name in sorted({*intermud.channels, *mine})[:_LISTED]:
        info = intermud.channels.get(name)
        state = "you listen" if name in mine else "off"
        kind = f", {KINDS[info.kind]}" if info is not None and 0 < info.kind < len(KINDS) else ""
        call.reply(line("system", Span(name, Role.COMMAND), f" of {info.host if info else 'nobody'}{kind}: {state}."))
    if not intermud.channels:
        call.reply("There are no channels.")


def _listen(call: Call, intermud: Intermud, rest: str) -> None:
    intermud.listen(call.session, rest, True)
    call.reply(f"You listen to {rest}. To speak, type: i3 chan {rest} <words>")


def _unlisten(call: Call, intermud: Intermud, rest: str) -> None:
    intermud.listen(call.session, rest, False)
    call.reply(f"You do not listen to {rest} any more.")


def _chan(call: Call, intermud: Intermud, rest: str) -> None:
    channel, _, words = rest.partition(" ")
    words = words.strip()
    if not words:
        raise Refusal("Type: i3 chan <channel> <words>")
    intermud.connected()
    call.realm.channels.pace(call.realm.now, call.me.id, f"i3 {channel}")
    kind = packets.ChannelEmote if words.startswith(":") else packets.ChannelMessage
    call.heard += intermud.speak(kind, call.session, channel, words.removeprefix(":").strip())


def _chanwho(call: Call, intermud: Intermud, rest: str) -> None:
    channel, _, mud = (part.strip() for part in rest.partition("@"))
    if not channel or not mud:
        raise Refusal("Who listens to which channel on which MUD? Type: i3 chanwho <channel>@<mud>")
    mud = intermud.mud(mud)
    intermud.send(packets.ChannelWhoRequest, call.me.name, mud, "", channel)
    call.reply(f"You ask who listens to {channel} on {mud}.")


def _history(call: Call, intermud: Intermud, rest: str) -> None:
    past = intermud.history(call.session, rest)
    call.reply(*past)
    if not past:
        call.reply(f"Nothing was heard on {rest} yet.")


def _channel(call: Call, intermud: Intermud, rest: str) -> None:
    if call.rank < Rank.KEEPER:
        raise Refusal("Only keepers make channels, and change those of this MUD.")
    what, _, rest = rest.partition(" ")
    channel, _, rest = rest.strip().partition(" ")
    what, rest = what.lower(), rest.strip()
    if what == "add" and channel:
        kind = rest.lower() or KINDS[0]
        intermud.add_channel(call.me.name, channel, kind)
        call.reply(f"You ask {intermud.router} for a channel {channel}, {kind}.")
    elif what == "remove" and channel and not rest:
        intermud.remove_channel(call.me.name, channel)
        call.reply(f"You ask {intermud.router} to remove {channel}.")
    elif what == "list" and channel and not rest:
        verb = intermud.ask_list(call.me.name, channel)
        call.reply(f"You ask {intermud.router} whom {channel} {verb}.")
    elif what in ("admit", "ban", "forgive") and rest:
        out = what == "ban"
        mud = intermud.keep_out(call.me.name, channel, rest, out)
        call.reply(
            f"You ask {intermud.router} to {'keep' if out else 'let'} {mud} {'out of' if out else 'into'} {channel}."
        )
    else:
        raise Refusal(
            "Type i3 channel and: add <channel> [kind], remove or list <channel>, "
            "admit, ban or forgive <channel> <mud>."
        )


def _ignore(call: Call, intermud: Intermud, rest: str) -> None:
    if rest:
        ignored = intermud.ignore(call.session, rest)
        call.reply(f"You hear {rest} {'no more' if ignored else 'again'}.")
        return
    found = intermud.ignored(call.session)
    call.reply(
        f"You ignore {', '.join(found)}." if found else "You ignore nobody. Type: i3 ignore <name>@<mud>, or a MUD"
    )


_WHAT: Final[Mapping[str, Callable[[Call, Intermud, str], None]]] = {
    "tell": _tell,
    "reply": _reply,
    "emote": _emote,
    "who": _who,
    "finger": _finger,
    "locate": _locate,
    "muds": _muds,
    "channels": _channels,
    "channel": _channel,
    "listen": _listen,
    "unlisten": _unlisten,
    "chan": _chan,
    "chanwho": _chanwho,
    "history": _history,
    "ignore": _ignore,
}

VERBS = (
    Verb(
        "i3",
        _i3,
        (
            "i3 tell <name>@<mud>: <words>",
            "i3 reply <words>",
            "i3 emote <name>@<mud>: <words>",
            "i3 who <mud>",
            "i3 finger <name>@<mud>",
            "i3 locate <name>",
            "i3 muds [<part of a name>]",
            "i3 channels",
            "i3 listen <channel>",
            "i3 unlisten <channel>",
            "i3 chan <channel> <words>",
            "i3 chanwho <channel>@<mud>",
            "i3 history <channel>",
            "i3 ignore [<name>@<mud> or <mud>]",
            "i3 channel add <channel> [open, selective or filtered]",
            "i3 channel remove <channel>",
            "i3 channel list <channel>",
            "i3 channel admit <channel> <mud>",
            "i3 channel ban <channel> <mud>",
            "i3 channel forgive <channel> <mud>",
        ),
        "Talk with people of other MUDs, over Intermud-3.",
        "talk",
        rest=True,
        cost=2.0,
        more="Keepers make channels. An open one is for all MUDs but those they ban, a selective one for those they "
        "admit. On a filtered one each line of another MUD passes through this one, which lets pass no more than ten a "
        "second.\n"
        "Admit and forgive let a MUD in, ban keeps it out; list tells whom it bans or admits. "
        "Only the MUD that made a channel can change or remove it.",
        see=("tell", "channels"),
    ),
)
