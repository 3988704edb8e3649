"""Oneself and one's client: score, time, tasks, settings, own shortcuts."""

from __future__ import annotations

from mythos.errors import Refusal
from mythos.play.call import Call
from mythos.play.narrate.fights import vitals
from mythos.play.settings import SETTINGS, choose, chosen, speech
from mythos.play.verbs import Verb
from mythos.wire.message import Role, Span, line
from mythos.world import calendar, quests
from mythos.world.combat import TOP_LEVEL, threshold

__all__ = ["VERBS"]

_SPELLINGS = {"color": "colour", "sr": "screenreader", "more": "pager"}
#: Own shortcuts: how many, how long their names and words.
_ALIASES, _NAME, _WORDS = 50, 20, 200
#: Commands nobody can shut themselves out of.
_KEPT = ("alias", "unalias", "help", "quit")


# ── how one is ──────────────────────────────────────────────────────────────────────────────────


def _score(call: Call) -> None:
    me = call.me
    title = f" {me.title}" if me.title else ""
    call.reply(line("system", Span(me.name, Role.PLAYER), f"{title}, level {me.level}."))
    call.reply(f"Health: {me.hp} of {me.max_hp}.", f"Gold: {me.gold}.")
    if me.level < TOP_LEVEL:
        call.reply(f"Experience: {me.xp}, {threshold(me.level + 1) - me.xp} short of level {me.level + 1}.")
    else:
        call.reply(f"Experience: {me.xp}.")
    foe = call.world.npcs.get(me.fighting) if me.fighting is not None else None
    if foe is not None:
        call.reply(f"You are fighting {foe.name}.")
    if me.account is None:
        call.reply("You are a guest. To be kept, type: register <name>")
    call.reply(vitals(me))


def _time(call: Call) -> None:
    now = call.world.now
    phase = calendar.phase(now)
    call.reply(f"It is {calendar.clock(now)}{', and ' + phase if phase in ('dawn', 'dusk') else ''}.")


def _tasks(call: Call) -> None:
    if not call.world.atlas.quests:
        raise Refusal("There are no tasks in this world.")
    journal = quests.journal(call.world, call.me)
    if journal.offered:
        call.reply("You have no task in hand. You could begin here:")
    for entry in (*journal.open, *journal.offered):
        call.reply(line("system", Span(entry.title, Role.TITLE), f": {entry.text}"))
    if journal.done:
        call.reply(f"Done: {', '.join([entry.title for entry in journal.done])}.")


# ── settings ────────────────────────────────────────────────────────────────────────────────────


def _settings(call: Call) -> None:
    name, _, value = call.rest.lower().partition(" ")
    if not name:
        for known, setting in SETTINGS.items():
            if not setting.terminal:
                _show(call, known)
        call.reply(line("system", Span("For MUD clients and terminals:", Role.TITLE)))
        for known, setting in SETTINGS.items():
            if setting.terminal:
                _show(call, known)
        call.reply("To change one, type: settings <name> <value>")
        return
    name = _SPELLINGS.get(name, name)
    if name not in SETTINGS:
        raise Refusal(f"There is no setting {name}. There are: {', '.join(SETTINGS)}.")
    if value.strip():
        choose(call.world, call.me, name, value.strip())
        if name == "screenreader":
            call.reply(speech(call.me))
    _show(call, name)


def _show(call: Call, name: str) -> None:
    setting, now = SETTINGS[name], chosen(call.me, name)
    call.reply(line("system", Span(name, Role.COMMAND), f" is {now}: {setting.what} ({setting.may_be()})."))


def _shortly(call: Call) -> None:
    """A setting by its name alone: as it is told; without a word one that is on or off changes, others are shown."""
    name, value = call.verb.name, call.rest.lower()
    if not value and set(SETTINGS[name].values) == {"on", "off"} and not SETTINGS[name].parts:
        value = "off" if chosen(call.me, name) == "on" else "on"
    if value:
        choose(call.world, call.me, name, value)
    _show(call, name)


def _screenreader(call: Call) -> None:
    """Toggles, or does as it is told."""
    value = call.rest.lower() or ("off" if chosen(call.me, "screenreader") == "on" else "on")
    choose(call.world, call.me, "screenreader", value)
    call.reply(speech(call.me))
    if value == "on":
        call.reply("Screen reader mode is on: one thing a line, no art, no boxes. To end it, type: sr off")
    else:
        call.reply("Screen reader mode is off.")


# ── own shortcuts ───────────────────────────────────────────────────────────────────────────────


def _alias(call: Call) -> None:
    aliases = call.me.aliases or {}
    name, _, words = call.rest.partition(" ")
    name, words = name.lower(), words.strip()
    if not name:
        for known, meaning in aliases.items():
            call.reply(line("system", Span(known, Role.COMMAND), f" means: {meaning}"))
        if not aliases:
            call.reply("You have no shortcuts. To make one, type: alias <name> <words>")
        return
    if not words:
        if name not in aliases:
            raise Refusal(f"You have no shortcut {name}. To make it, type: alias {name} <words>")
        call.reply(line("system", Span(name, Role.COMMAND), f" means: {aliases[name]}"))
        return
    if len(name) > _NAME or not name.isalnum() or name in _KEPT:
        raise Refusal(f"A shortcut is a word of up to {_NAME} letters and numbers, and none of: {', '.join(_KEPT)}.")
    if len(words) > _WORDS:
        raise Refusal(f"That is too long: a shortcut stands for up to {_WORDS} letters.")
    if name not in aliases and len(aliases) >= _ALIASES:
        raise Refusal(f"You have {_ALIASES} shortcuts, and no room for more. Give one up with: unalias <name>")
    call.me.aliases = {**aliases, name: words}
    call.world.touch(call.me)
    call.reply(line("system", "From now on, ", Span(name, Role.COMMAND), f" means: {words}"))


def _unalias(call: Call) -> None:
    aliases = dict(call.me.aliases or {})
    name = call.rest.lower()
    if aliases.pop(name, None) is None:
        raise Refusal(f"You have no shortcut {name}." if name else "Which one? Type: unalias <name>")
    call.me.aliases = aliases or None
    call.world.touch(call.me)
    call.reply(f"The shortcut {name} is gone.")


VERBS = (
    Verb("score", _score, ("score",), "See how you are.", "self", aliases=("sc",), see=("tasks", "time")),
    Verb("tasks", _tasks, ("tasks",), "Read what you set out to do.", "self", aliases=("quests", "journal")),
    Verb("time", _time, ("time",), "Ask what hour of the day it is.", "self"),
    Verb(
        "settings",
        _settings,
        ("settings", "settings <name>", "settings <name> <value>"),
        "See or change how the game speaks to you.",
        "settings",
        aliases=("set",),
        more="There are: " + "; ".join(f"{name} ({setting.what})" for name, setting in SETTINGS.items()) + ".",
        see=("screenreader", "channels", "alias"),
    ),
    Verb(
        "screenreader",
        _screenreader,
        ("screenreader", "screenreader on", "screenreader off"),
        "Switch speech-friendly text on or off.",
        "settings",
        aliases=("sr",),
        see=("settings",),
    ),
    Verb("brief", _shortly, ("brief", "brief on", "brief off"), "Have rooms shown in short or in full.", "settings"),
    Verb(
        "colour",
        _shortly,
        ("colour", "colour <auto, off, 16, 256 or true>"),
        "Say how many colours your client shows.",
        "settings",
        aliases=("color",),
        see=("settings",),
    ),
    Verb(
        "width",
        _shortly,
        ("width", "width <letters>", "width auto"),
        "Say how many letters a line of your client has.",
        "settings",
        see=("settings",),
    ),
    Verb(
        "prompt",
        _shortly,
        ("prompt", "prompt on", "prompt off", "prompt <what it tells>"),
        "Choose what ends each answer.",
        "settings",
        see=("settings",),
    ),
    Verb(
        "pager",
        _shortly,
        ("pager", "pager on", "pager off"),
        "Have long answers stop when the screen is full, or not.",
        "settings",
        aliases=("more",),
        see=("settings",),
    ),
    Verb(
        "alias",
        _alias,
        ("alias", "alias <name>", "alias <name> <words>"),
        "Make a shortcut of your own for a command.",
        "settings",
        rest=True,
        more="What you type after the shortcut is put behind its words: after alias wh whisper bob, wh hello whispers.",
        see=("unalias", "settings"),
    ),
    Verb("unalias", _unalias, ("unalias <name>",), "Give up a shortcut.", "settings", see=("alias",)),
)
