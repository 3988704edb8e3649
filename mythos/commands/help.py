"""Help: made from the declarations of the commands and from the world's own topics."""

from __future__ import annotations

from collections.abc import Iterator

from mythos.errors import Refusal
from mythos.play.call import Call
from mythos.play.settings import chosen
from mythos.play.topics import GROUPS, first_words, in_group, look_up, near
from mythos.play.verbs import Verb
from mythos.wire.message import Line, Role, Span, line

__all__ = ["VERBS"]


def _help(call: Call) -> None:
    wanted = " ".join(call.rest.lower().split())
    if not wanted:
        call.reply(*_overview(call))
        return
    verbs, topics = call.realm.verbs, call.world.atlas.help
    verb, topic = look_up(verbs, topics, call.rank, wanted)
    if verb is None and topic is None:
        verb = verbs.beginning(wanted, call.rank)
        topic = None if verb else next((topics[word] for word in topics if word.lower().startswith(wanted)), None)
    if verb is None and topic is None:
        raise Refusal(_unknown(call, wanted))
    if verb is not None:
        call.reply(*_of_verb(verb))
    if topic is not None:
        call.reply(*[line("help", words) for words in topic.splitlines() if words.strip()])


def _overview(call: Call) -> Iterator[Line]:
    yield line(
        "help", "To see a command, type ", Span("help <command>", Role.COMMAND), ". All of them: ", _word("commands")
    )
    topics = call.world.atlas.help
    yield from (line("help", words) for words in topics.get("start", "").splitlines() if words.strip())
    if others := sorted(word for word in first_words(topics) if word != "start"):
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
    if meant := near(call.realm.verbs, call.world.atlas.help, call.rank, wanted):
        return f"There is no help on {wanted}. Did you mean: {', '.join(meant)}?"
    return f"There is no help on {wanted}. Type: commands"


def _commands(call: Call) -> None:
    plain = chosen(call.me, "screenreader") == "on"
    for group, heading in GROUPS.items():
        verbs = in_group(call.realm.verbs, call.rank, group)
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
