"""Talk: to the room, to one, to everybody, to NPCs; and who there is to talk to."""

from __future__ import annotations

from mythos.commands import grammar
from mythos.errors import Refusal
from mythos.play.audience import InRoom, Listeners
from mythos.play.call import Call
from mythos.play.channels import CHANNELS
from mythos.play.narrate.talking import named, subject
from mythos.play.sessions import Session, Standing
from mythos.play.verbs import Verb
from mythos.play.who import MOST, Listed, listed
from mythos.wire.message import Line, Role, Span, line
from mythos.world import npcs
from mythos.world.facts import Emoted, Said, Shouted, Told, Whispered
from mythos.world.state import Npc

__all__ = ["VERBS"]


# ── aloud ───────────────────────────────────────────────────────────────────────────────────────


def _say(call: Call) -> None:
    words = call.rest
    if not words:
        raise Refusal("Say what?")
    me = call.me
    call.happen((Said(me.id, me.room, words),))


def _emote(call: Call) -> None:
    if not call.rest:
        raise Refusal("Do what? Type, for example: emote waves")
    call.happen([Emoted(call.me.id, call.me.room, call.rest)])


def _shout(call: Call) -> None:
    if not call.rest:
        raise Refusal("Shout what?")
    call.realm.channels.pace(call.realm.now, call.me.id, "shout")
    call.happen([Shouted(call.me.id, call.me.room, call.rest)])


# ── to one ──────────────────────────────────────────────────────────────────────────────────────


def _whisper(call: Call) -> None:
    whom, words = _split(call, "Whisper what to whom? Type: whisper <someone> <words>")
    to = grammar.person(call, whom)
    if to is call.me:
        raise Refusal("You mutter to yourself.")
    call.happen([Whispered(call.me.id, call.me.room, to.id, words)])


def _tell(call: Call) -> None:
    whom, words = _split(call, "Tell what to whom? Type: tell <player> <words>")
    _send(call, call.realm.find_player(whom), words)


def _reply(call: Call) -> None:
    last = call.session.told_by
    if last is None:
        raise Refusal("Nobody has told you anything yet.")
    to = call.realm.session_of(last)
    if to is None or to.standing is Standing.ENDED:
        raise Refusal("Who told you something last is gone.")
    if not call.rest:
        raise Refusal(f"Reply what to {to.me.name}?")
    _send(call, to, call.rest)


def _send(call: Call, to: Session, words: str) -> None:
    me = call.me
    if to.me is me:
        raise Refusal("You tell yourself things all day long.")
    call.realm.channels.pace(call.realm.now, me.id)
    to.told_by = me.id
    call.happen([Told(me.id, to.me.id, words)])
    if to.linkdead:
        call.reply(f"{to.me.name} is link-dead just now, and will read it on coming back.")


def _split(call: Call, usage: str) -> tuple[str, str]:
    whom, _, words = call.rest.partition(" ")
    words = words.strip()
    if not words:
        raise Refusal(usage)
    return whom, words


# ── to NPCs ─────────────────────────────────────────────────────────────────────────────────────


def _talk(call: Call) -> None:
    whom = call.rest.removeprefix("to ").removeprefix("with ")
    if not whom:
        raise Refusal("Talk to whom?")
    npc = _npc(call, whom)
    call.happen(npcs.talk(call.world, call.me.id, npc.id, ""))


def _ask(call: Call) -> None:
    whom, about, word = call.rest.partition(" about ")
    if not about:
        whom, _, word = call.rest.partition(" ")
    word = word.strip()
    if not whom or not word:
        raise Refusal("Ask whom about what? Type: ask <someone> about <word>")
    npc = _npc(call, whom)
    me = call.me
    facts = npcs.talk(call.world, me.id, npc.id, word)
    call.reply(line("say", "You ask ", named(npc), f' about "{word}".'))
    call.tell(InRoom(me.room, (me.id,)), line("say", subject(me), " asks ", named(npc), f' about "{word}".'))
    call.happen(facts)


def _npc(call: Call, whom: str) -> Npc:
    body = grammar.person(call, whom.strip())
    if isinstance(body, Npc):
        return body
    raise Refusal(f"{body.name} is a player. Type: say <words>")


# ── channels ────────────────────────────────────────────────────────────────────────────────────


def _channel(call: Call) -> None:
    """The verb's name is the channel's."""
    name = call.verb.name
    if call.rest:
        said = call.realm.channels.speak(call.realm.now, call.me, name, call.rest)
        call.tell(Listeners(name), said)
        return
    past = call.realm.channels.history(name)
    call.reply(*past)
    if not past:
        call.reply(f"Nothing was said on {name} yet. Be the first: {name} <words>")


def _channels(call: Call) -> None:
    on, _, name = call.rest.lower().partition(" ")
    if on:
        name = name.strip()
        if on not in ("on", "off") or name not in CHANNELS:
            raise Refusal(f"Type: channels on <name>, or channels off <name>. There are: {', '.join(CHANNELS)}.")
        call.realm.channels.listen(call.me, name, on == "on")
        call.world.touch(call.me)
        call.reply(call.realm.channels.state(call.me))
    for known, what in CHANNELS.items():
        state = "on" if call.realm.channels.hears(call.me, known) else "off"
        call.reply(line("system", Span(known, Role.COMMAND), f" is {state}: {what}."))


# ── who ─────────────────────────────────────────────────────────────────────────────────────────


def _who(call: Call) -> None:
    sessions = list(call.realm.sessions())
    call.reply("You are alone." if len(sessions) == 1 else f"{len(sessions)} people play:")
    call.reply(*[_listed(listed(session, call.realm.now)) for session in sessions[:MOST]])
    if len(sessions) > MOST:
        call.reply(f"And {len(sessions) - MOST} more.")


def _listed(one: Listed) -> Line:
    title = f" {one.title}" if one.title else ""
    notes = f" ({', '.join(one.notes)})" if one.notes else ""
    return line("system", Span(one.name, Role.PLAYER), title + notes)


VERBS = (
    Verb(
        "say",
        _say,
        ("say <words>", "'<words>"),
        "Say something to all in the room.",
        "talk",
        aliases=("'",),
        rest=True,
        loud=True,
        see=("emote", "whisper", "tell", "shout"),
    ),
    Verb(
        "emote",
        _emote,
        ("emote <what you do>", ":<what you do>"),
        "Do something that all in the room see: emote waves.",
        "talk",
        aliases=(":",),
        rest=True,
        loud=True,
        see=("say",),
    ),
    Verb(
        "whisper",
        _whisper,
        ("whisper <someone> <words>",),
        "Say something to one person in the room; the others see that you whisper.",
        "talk",
        rest=True,
        see=("say", "tell"),
    ),
    Verb(
        "tell",
        _tell,
        ("tell <player> <words>",),
        "Tell something to one player, wherever they are.",
        "talk",
        aliases=("t",),
        rest=True,
        see=("reply", "who", "whisper"),
    ),
    Verb(
        "reply",
        _reply,
        ("reply <words>",),
        "Answer whoever told you something last.",
        "talk",
        aliases=("r",),
        rest=True,
        see=("tell",),
    ),
    Verb(
        "shout",
        _shout,
        ("shout <words>",),
        "Say something to everybody in this part of the world.",
        "talk",
        rest=True,
        cost=5.0,
        see=("say", "chat"),
    ),
    Verb(
        "talk",
        _talk,
        ("talk <someone>",),
        "Greet one of the people who live here, and hear what they have to say.",
        "talk",
        see=("ask",),
    ),
    Verb(
        "ask",
        _ask,
        ("ask <someone> about <word>",),
        "Ask one of the people who live here about something they mentioned.",
        "talk",
        see=("talk", "tasks"),
    ),
    Verb(
        "chat",
        _channel,
        ("chat <words>", "chat"),
        "Talk with everybody who plays; without words, read what was said last.",
        "talk",
        rest=True,
        see=("channels", "newbie"),
    ),
    Verb(
        "newbie",
        _channel,
        ("newbie <words>", "newbie"),
        "Ask or answer a newcomer's question, heard by everybody; without words, read the last ones.",
        "talk",
        rest=True,
        see=("channels", "chat", "help"),
    ),
    Verb(
        "channels",
        _channels,
        ("channels", "channels on <name>", "channels off <name>"),
        "See which channels there are, and choose which you hear.",
        "talk",
        see=("chat", "newbie"),
    ),
    Verb("who", _who, ("who",), "List who plays.", "talk", cost=5.0, see=("tell",)),
)
