"""What keepers do: see who is here, move people, speak to all, send away, silence, load again, close."""

from __future__ import annotations

from mythos.errors import Refusal
from mythos.ids import RoomId
from mythos.play.audience import Everyone
from mythos.play.call import Call
from mythos.play.sessions import Session
from mythos.play.verbs import Rank, Verb
from mythos.wire.message import Role, Span, line
from mythos.world import combat

__all__ = ["VERBS"]

#: Most seconds a shutdown can be announced ahead, and minutes of a mute.
_LONGEST, _MUTE = 86_400, 1_440


def _goto(call: Call) -> None:
    if not call.rest:
        raise Refusal("Go where? Type: @goto <player> or @goto <zone:room>")
    room = _room(call, call.rest)
    if room is None:
        room = call.realm.find_player(call.rest).me.room
    if room == call.me.room:
        raise Refusal("You are there.")
    call.happen(combat.transfer(call.world, call.me.id, room, "goto"))


def _room(call: Call, words: str) -> RoomId | None:
    """A room by its id, or by the part behind the colon if that is in this zone."""
    zone = call.world.room(call.me.room).zone
    for room in (RoomId(words.lower()), RoomId(f"{zone}:{words.lower()}")):
        if room in call.world.atlas.rooms:
            return room
    return None


def _summon(call: Call) -> None:
    who = _somebody(call, "@summon <player>").me
    if who is call.me or who.room == call.me.room:
        raise Refusal(f"{who.name} is here.")
    call.happen(combat.transfer(call.world, who.id, call.me.room, "summon"))
    call.reply(f"You bring {who.name} to you.")


def _kick(call: Call) -> None:
    session = _somebody(call, "@kick <player> [reason]")
    if session is call.session:
        raise Refusal("To leave, type: quit")
    reason = call.rest.partition(" ")[2].strip()
    call.realm.kick(session, reason)
    call.reply(f"{session.me.name} is sent away.")


def _mute(call: Call) -> None:
    session = _somebody(call, "@mute <player> [minutes]")
    minutes = _number(call.rest.partition(" ")[2].strip() or "10", _MUTE)
    call.realm.mute(session, 60.0 * minutes, by=call.me.name)
    if minutes:
        call.realm.words_to(session, f"A keeper asks you to be silent: channels, tells and shouts, {minutes} minutes.")
        call.reply(f"{session.me.name} is muted for {minutes} minutes.")
    else:
        call.reply(f"{session.me.name} may speak again.")


def _somebody(call: Call, usage: str) -> Session:
    name = call.rest.partition(" ")[0]
    if not name:
        raise Refusal(f"Whom? Type: {usage}")
    return call.realm.find_player(name)


def _number(word: str, most: int) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 8 and int(word) <= most):
        raise Refusal(f"{word} is not a number from 0 to {most}.")
    return int(word)


def _broadcast(call: Call) -> None:
    if not call.rest:
        raise Refusal("Broadcast what?")
    call.tell(Everyone(), line("system", Span("[notice] ", Role.WARNING), call.rest))


def _shutdown(call: Call) -> None:
    word, _, reason = call.rest.partition(" ")
    seconds = _number(word or "60", _LONGEST)
    call.realm.stop(float(seconds), reason.strip() or f"Announced by {call.me.name}.")


def _who(call: Call) -> None:
    for session in call.realm.sessions():
        doors = [f"{door} {address}" for door, address in zip(session.doors(), session.addresses(), strict=True)]
        idle = int(call.realm.now - session.idle_since)
        where = ", ".join(doors) or "link-dead"
        call.reply(line("system", Span(session.me.name, Role.PLAYER), f" in {session.me.room}: {where}, idle {idle} s"))


def _reload(call: Call) -> None:
    call.reply(call.realm.reload())


VERBS = (
    Verb(
        "@goto",
        _goto,
        ("@goto <player>", "@goto <zone:room>"),
        "Go to a player or a room at once.",
        "keeper",
        rank=Rank.KEEPER,
        see=("@summon",),
    ),
    Verb(
        "@summon",
        _summon,
        ("@summon <player>",),
        "Bring a player to where you are.",
        "keeper",
        rank=Rank.KEEPER,
        see=("@goto",),
    ),
    Verb(
        "@who",
        _who,
        ("@who",),
        "List who plays, with their rooms, doors and addresses, and how long they are idle.",
        "keeper",
        rank=Rank.KEEPER,
        see=("who", "@kick"),
    ),
    Verb(
        "@kick",
        _kick,
        ("@kick <player> [reason]",),
        "Send a player out of the game; they may come back.",
        "keeper",
        rank=Rank.KEEPER,
        rest=True,
        see=("@mute",),
    ),
    Verb(
        "@mute",
        _mute,
        ("@mute <player> [minutes]", "@mute <player> 0"),
        "Keep a player from channels, tells and shouts for some minutes (10); 0 lets them speak again.",
        "keeper",
        rank=Rank.KEEPER,
        see=("@kick",),
    ),
    Verb(
        "@broadcast",
        _broadcast,
        ("@broadcast <words>",),
        "Say something to everyone who plays.",
        "keeper",
        rank=Rank.KEEPER,
        rest=True,
    ),
    Verb(
        "@shutdown",
        _shutdown,
        ("@shutdown [seconds] [reason]",),
        "Close the server after some seconds (60); everybody is told.",
        "keeper",
        rank=Rank.KEEPER,
        rest=True,
        see=("@broadcast", "@reload"),
    ),
    Verb(
        "@reload",
        _reload,
        ("@reload",),
        "Load the world's files again; if they hold a mistake, nothing changes.",
        "keeper",
        rank=Rank.KEEPER,
        see=("@shutdown",),
    ),
)
