"""Talk: who types, who hears."""

from __future__ import annotations

import pytest

from mythos.wire.message import Line
from tests.scenes.people import in_town, typed
from tests.world.town import MARTA, MOOR, SQUARE, YARD

# ── aloud ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("line", ["say hello", "'hello", "' hello", "SAY hello", "sa hello"])
def test_say(line: str) -> None:
    assert typed(in_town(), "Ann", line) == {"Ann": ['You say, "hello"'], "Bob": ['Ann says, "hello"']}


def test_what_is_said_is_kept_as_typed() -> None:
    """No stacking, no folding, inside of somebody's words."""
    scene = in_town()
    assert typed(scene, "Ann", "say Well; THEN  go")["Bob"] == ['Ann says, "Well; THEN  go"']


def test_say_is_of_kind_say() -> None:
    """Clients filter by it."""
    scene = in_town()
    scene.type("Ann", "say hello")
    heard = [entry[2] for entry in scene.ears["Bob"].session.log.entries]
    assert [one.kind for one in heard if isinstance(one, Line) and one.text == 'Ann says, "hello"'] == ["say"]


def test_say_stays_in_the_room() -> None:
    scene = in_town("Ann Bob")
    scene.arrive("Eve", room=SQUARE)
    scene.hear_all()
    assert "Eve" not in typed(scene, "Ann", "say hello")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("say", "Say what?"),
        ("emote", "Do what? Type, for example: emote waves"),
        ("shout", "Shout what?"),
        ("whisper bob", "Whisper what to whom? Type: whisper <someone> <words>"),
        ("whisper ann psst", "You mutter to yourself."),
        ("tell bob", "Tell what to whom? Type: tell <player> <words>"),
        ("tell ann hi", "You tell yourself things all day long."),
        ("tell nobody hi", "Nobody called nobody is here just now."),
        ("reply hi", "Nobody has told you anything yet."),
        ("talk", "Talk to whom?"),
        ("ask marta", "Ask whom about what? Type: ask <someone> about <word>"),
        ("talk bob", "Bob is a player. Type: say <words>"),
        ("channels off radio", "Type: channels on <name>, or channels off <name>. There are: chat, newbie."),
    ],
)
def test_refusals(line: str, sentence: str) -> None:
    """A sentence to whoever typed it, and nothing to anybody else."""
    assert typed(in_town(), "Ann", line) == {"Ann": [sentence]}


@pytest.mark.parametrize(
    ("line", "seen"),
    [("emote waves", "Ann waves."), (":waves!", "Ann waves!"), ("emote 's hat falls off", "Ann's hat falls off.")],
)
def test_emote(line: str, seen: str) -> None:
    """All see the same, the actor too."""
    assert typed(in_town(), "Ann", line) == {"Ann": [seen], "Bob": [seen]}


def test_shout() -> None:
    """Heard in the zone, not beyond it."""
    scene = in_town()
    scene.arrive("Eve", room=YARD)
    scene.arrive("Zoe", room=MOOR)
    scene.hear_all()
    heard = 'Ann shouts, "fire"'
    assert typed(scene, "Ann", "shout fire") == {"Ann": ['You shout, "fire"'], "Bob": [heard], "Eve": [heard]}


# ── to one ──────────────────────────────────────────────────────────────────────────────────────


def test_whisper() -> None:
    """The others see that there is a secret, not what it is."""
    assert typed(in_town("Ann Bob Eve"), "Ann", "whisper bob the gate is open") == {
        "Ann": ['You whisper to Bob, "the gate is open"'],
        "Bob": ['Ann whispers to you, "the gate is open"'],
        "Eve": ["Ann whispers something to Bob."],
    }


def test_tell_and_reply() -> None:
    """Wherever they are; reply goes to whoever told last."""
    scene = in_town("Ann Bob")
    scene.arrive("Eve", room=MOOR)
    scene.hear_all()
    assert typed(scene, "Ann", "tell eve hello there") == {
        "Ann": ['You tell Eve, "hello there"'],
        "Eve": ['Ann tells you, "hello there"'],
    }
    assert typed(scene, "Bob", "tell ev hi")["Eve"] == ['Bob tells you, "hi"']
    assert typed(scene, "Eve", "reply who are you") == {
        "Eve": ['You tell Bob, "who are you"'],
        "Bob": ['Eve tells you, "who are you"'],
    }
    assert typed(scene, "Ann", "reply hm") == {"Ann": ["Nobody has told you anything yet."]}


def test_reply_to_somebody_who_left() -> None:
    scene = in_town()
    typed(scene, "Bob", "tell ann bye", "quit")
    assert typed(scene, "Ann", "reply wait")["Ann"] == ["Who told you something last is gone."]


def test_reply_to_somebody_who_just_leaves() -> None:
    """A guest is no more, though its end waits for the disk."""
    scene = in_town()
    scene.arrive("Guest", guest=True)
    scene.type("Guest", "tell ann bye")
    scene.hear_all()
    wake, scene.realm.commits.wake = scene.realm.commits.wake, lambda: None
    scene.type("Guest", "quit")
    scene.type("Ann", "reply wait")
    wake()
    scene.run()
    assert scene.hear("Ann")[-1] == "Who told you something last is gone."


def test_tell_to_the_link_dead() -> None:
    """They will read it; the teller knows that it may take a while."""
    scene = in_town()
    bob = scene.ears["Bob"]
    scene.realm.detach(bob, bob.session)
    scene.hear("Ann")
    scene.type("Ann", "tell bob come back")
    assert scene.hear("Ann") == [
        'You tell Bob, "come back"',
        "Bob is link-dead just now, and will read it on coming back.",
    ]


def test_tells_are_paced() -> None:
    """A flood of tells ends in a sentence."""
    scene = in_town()
    heard = typed(scene, "Ann", *["tell bob spam"] * 12)
    assert 0 < len(heard["Bob"]) < 12
    assert heard["Ann"][-1].startswith("You speak too fast. Wait ")


# ── to those who live here ──────────────────────────────────────────────────────────────────────


def test_talk() -> None:
    scene = in_town(room=SQUARE)
    assert typed(scene, "Ann", "talk to marta") == {
        "Ann": ['Marta says to you, "Welcome to town."'],
        "Bob": ['Marta says to Ann, "Welcome to town."'],
    }
    assert MARTA in scene.world.npcs


def test_ask() -> None:
    scene = in_town(room=SQUARE)
    assert typed(scene, "Ann", "ask marta about the moon") == {
        "Ann": ['You ask Marta about "the moon".', 'Marta says to you, "Ask me at night."'],
        "Bob": ['Ann asks Marta about "the moon".', 'Marta says to Ann, "Ask me at night."'],
    }
    assert typed(scene, "Ann", "ask marta philosophy") == {"Ann": ["Marta has nothing to say about that."]}


def test_a_task_is_told() -> None:
    scene = in_town(room=SQUARE)
    assert typed(scene, "Ann", "ask marta tails")["Ann"][-1] == "Task: Rats. Bring Marta three tails."
    ann = scene.me("Ann")
    scene.world.mint_item(scene.world.atlas.items["tail"], ann.id, 3)
    heard = typed(scene, "Ann", "ask marta tails")
    assert heard["Ann"][-1] == "Task done: Rats. Marta has her tails."
    assert "Task done: Rats. Marta has her tails." not in heard["Bob"]
    assert ann.gold == 15


# ── channels ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("channel", ["chat", "newbie"])
def test_channels_reach_everybody(channel: str) -> None:
    """In every zone, with the channel first, the speaker too."""
    scene = in_town()
    scene.arrive("Zoe", room=MOOR)
    scene.hear_all()
    said = f"[{channel}] Ann: hello all"
    assert typed(scene, "Ann", f"{channel} hello all") == {"Ann": [said], "Bob": [said], "Zoe": [said]}


def test_a_channel_is_switched_off_and_on() -> None:
    scene = in_town()
    assert typed(scene, "Bob", "channels off chat")["Bob"][0].startswith("chat is off")
    assert "Bob" not in typed(scene, "Ann", "chat anybody?")
    assert typed(scene, "Bob", "chat me")["Bob"] == ["You do not listen to chat. Switch it on with: channels on chat"]
    assert typed(scene, "Bob", "channels on chat")["Bob"][0].startswith("chat is on")
    assert "Bob" in typed(scene, "Ann", "chat now?")


def test_history() -> None:
    """Without words, what was said last; for those who came later too."""
    scene = in_town("Ann")
    assert typed(scene, "Ann", "chat") == {"Ann": ["Nothing was said on chat yet. Be the first: chat <words>"]}
    scene.type("Ann", "chat one", "chat two")
    scene.arrive("Bob", room=MOOR)
    scene.hear_all()
    assert typed(scene, "Bob", "chat") == {"Bob": ["[chat] Ann: one", "[chat] Ann: two"]}


# ── who ─────────────────────────────────────────────────────────────────────────────────────────


def test_who() -> None:
    """In the order they came, with what one should know."""
    scene = in_town("Ann Bob Eve")
    scene.arrive("Zoe", guest=True)
    scene.me("Eve").keeper = True
    bob = scene.ears["Bob"]
    scene.realm.detach(bob, bob.session)
    scene.hear_all()
    assert typed(scene, "Ann", "who") == {
        "Ann": ["4 people play:", "Ann", "Bob (link-dead)", "Eve (keeper)", "Zoe (guest)"]
    }


def test_who_tells_the_idle() -> None:
    scene = in_town()
    scene.clock.advance(700.0)
    assert typed(scene, "Ann", "who")["Ann"][1:] == ["Ann (idle 11 minutes)", "Bob (idle 11 minutes)"]


def test_who_alone_and_in_a_crowd() -> None:
    """It is bounded."""
    scene = in_town("Ann")
    assert typed(scene, "Ann", "who") == {"Ann": ["You are alone.", "Ann"]}
    for number in range(80):
        scene.arrive(f"Guest{number}", guest=True)
    scene.hear_all()
    heard = typed(scene, "Ann", "who")["Ann"]
    assert (heard[0], len(heard), heard[-1]) == ("81 people play:", 62, "And 21 more.")
