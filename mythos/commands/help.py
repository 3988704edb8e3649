"""Help: made from the declarations of the commands and from the world's own topics."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from mythos.errors import Refusal
from mythos.play.call import Call
from mythos.play.settings import chosen
from mythos.play.verbs import Rank, Verb, VerbTable
from mythos.wire.message import Line, Role, Span, line

__all__ = ["GROUPS", "VERBS"]

#: Groups of commands in the order they are listed, with their headings.
GROUPS = {
    "look": "Looking",
    "move": "Moving",
    "things": "Things",
    "trade": "Trade",
    "talk": "People",
    "fight": "Fighting",
    "self": "Yourself",
    "settings": "Settings",
    "keeper": "Keepers",
}


def _help(call: Call) -> None:
    wanted = " ".join(call.rest.lower().split())
    if not wanted:
        call.reply(*_overview(call))
        return
    verbs, topics = call.realm.verbs, call.world.atlas.help
    verb = verbs.exact(wanted)
    if verb is not None and verb.rank > call.rank:
        verb = None
    topic = next((name for name in topics if name.lower() == wanted), None)
    if verb is None and topic is None:
        verb = verbs.beginning(wanted, call.rank)
        topic = None if verb else next((name for name in topics if name.lower().startswith(wanted)), None)
    if verb is None and topic is None:
        raise Refusal(_unknown(call, wanted))
    if verb is not None:
        call.reply(*_of_verb(verb))
    if topic is not None:
        call.reply(*[line("help", words) for words in topics[topic].splitlines() if words.strip()])


def _overview(call: Call) -> Iterator[Line]:
    yield line(
        "help", "To see a command, type ", Span("help <command>", Role.COMMAND), ". All of them: ", _word("commands")
    )
    topics = call.world.atlas.help
    yield from (line("help", words) for words in topics.get("start", "").splitlines() if words.strip())
    first: dict[str, str] = {}  # a topic's text -> the first of its words
    for name, text in topics.items():
        first.setdefault(text, name)
    if others := sorted(name for name in first.values() if name != "start"):
        yield line("help", f"Other topics: {', '.join(others)}.")


def _of_verb(verb: Verb) -> Iterator[Line]:
    also = f" ({', '.join(verb.aliases)})" if verb.aliases else ""
    yield line("help", _word(verb.name), f"{also}: {verb.help}")
    for way in verb.syntax:
        yield line("help", "Type: ", Span(way, Role.COMMAND))
    for words in verb.more.splitlines():
        yield line("help", words)
    if verb.see:
        yield line("help", f"See also: {', '.join(verb.see)}.")


def _unknown(call: Call, wanted: str) -> str:
    known = [*call.realm.verbs.names(call.rank), *call.world.atlas.help]
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.75)
    if near:
        return f"There is no help on {wanted}. Did you mean: {', '.join(near)}?"
    return f"There is no help on {wanted}. Type: commands"


def _commands(call: Call) -> None:
    plain = chosen(call.me, "screenreader") == "on"
    for group, heading in GROUPS.items():
        verbs = _in_group(call.realm.verbs, call.rank, group)
        if not verbs:
            continue
        if plain:
            call.reply(line("help", Span(heading, Role.TITLE)))
            call.reply(*[line("help", _word(verb.name), f": {verb.help}") for verb in verbs])
        else:
            words: list[str | Span] = [Span(f"{heading}: ", Role.TITLE)]
            for verb in verbs:
                words += [_word(verb.name), ", "]
            call.reply(line("help", *words[:-1]))


def _in_group(table: VerbTable, rank: Rank, group: str) -> list[Verb]:
    return sorted((verb for verb in table.allowed(rank) if verb.group == group), key=lambda verb: verb.name)


def _word(name: str) -> Span:
    return Span(name, Role.COMMAND)


VERBS = (
    Verb(
        "help",
        _help,
        ("help", "help <command or topic>"),
        "Read about a command or about the game.",
        "self",
        aliases=("?",),
        see=("commands",),
    ),
    Verb("commands", _commands, ("commands",), "List every command.", "self", see=("help",)),
)
