"""Oneself: score, time, tasks, settings, shortcuts, help, the account."""

from __future__ import annotations

import pytest

from mythos.play.settings import SETTINGS
from tests.scenes.people import in_town, typed
from tests.scenes.scene import Ear, Scene, result
from tests.world.town import ATLAS, SQUARE


def ann_types(*lines: str, scene: Scene | None = None) -> list[str]:
    """What Ann hears; nobody else hears anything."""
    heard = typed(scene or in_town(), "Ann", *lines)
    assert heard.keys() <= {"Ann"}
    return heard.get("Ann", [])


def asked(scene: Scene, who: str) -> tuple[str, bool]:
    """What somebody's next line will answer, and whether it is a secret."""
    question = scene.ears[who].session.question
    assert question is not None
    return question.text, question.secret


def test_score() -> None:
    scene = in_town()
    scene.me("Ann").xp = 130
    scene.me("Ann").level = 2
    assert ann_types("score", scene=scene) == [
        "Ann, level 2.",
        "Health: 20 of 20.",
        "Gold: 0.",
        "Experience: 130, 170 short of level 3.",
    ]
    assert scene.ears["Ann"].states["Char.Vitals"] == {
        "hp": 20,
        "maxhp": 20,
        "gold": 0,
        "level": 2,
        "xp": 130,
        "fighting": False,
        "string": "H:20/20",
    }


def test_time() -> None:
    scene = in_town()
    assert ann_types("time", scene=scene) == ["It is eight in the morning."]
    scene.world.now = 790.0
    assert ann_types("time", scene=scene) == ["It is a quarter past nine at night."]
    scene.world.now = 690.0
    assert ann_types("time", scene=scene) == ["It is half past seven in the evening, and dusk."]


def test_tasks() -> None:
    """What one could begin, what one is at, and what is done."""
    scene = in_town(room=SQUARE)
    assert ann_types("tasks", scene=scene) == [
        "You have no task in hand. You could begin here:",
        "Rats: Ask Marta about tails.",
    ]
    scene.me("Ann").flags = {"rats:asked": 1}
    assert ann_types("tasks", scene=scene) == ["Rats: Bring Marta three tails."]
    scene.me("Ann").flags = {"rats:asked": 1, "rats:tails": 1}
    assert ann_types("quests", scene=scene) == ["Done: Rats."]


# ── settings ────────────────────────────────────────────────────────────────────────────────────


def test_settings_are_listed() -> None:
    """Each with what it is, what it does and what it may be; those of terminals by themselves."""
    heard = ann_types("settings")
    assert len(heard) == len(SETTINGS) + 2
    assert [words.partition(" is ")[0] for words in heard[:5]] == [
        "brief",
        "map",
        "screenreader",
        "rounds",
        "For MUD clients and terminals:",
    ]
    assert heard[6] == "colour is auto: how many colours your client shows (auto, none, 16, 256, true)."
    assert "prompt is gold: what ends" in " ".join(ann_types("settings prompt gold", "settings"))


def test_settings_are_kept_over_a_restart() -> None:
    """With the account's character, whatever door it comes by."""
    scene = in_town()
    session = result(scene.accounts.register_new("Morwenna", "a long password"))
    ear = scene.ears["Morwenna"] = Ear(session)
    scene.realm.attach(ear, session, token=False, then=lambda attached: None)
    scene.type("Morwenna", "sr on", "settings prompt room")
    scene.realm.save()
    scene.run()
    again = Scene(ATLAS, "", before=scene)
    session = result(again.accounts.login("Morwenna", "a long password", "192.0.2.1"))
    assert session.me.settings == {"screenreader": "on", "prompt": "room"}


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("settings brief on", "brief", "on"),
        ("settings color 256", "colour", "256"),
        ("settings prompt off", "prompt", "off"),
        ("settings charset LATIN-1", "charset", "latin-1"),
        ("settings more on", "pager", "on"),
        ("settings map words", "map", "words"),
        ("settings prompt Gold, health gold", "prompt", "gold health"),
        ("settings width 20", "width", "20"),
        ("settings width 500", "width", "500"),
        ("settings width auto", "width", "auto"),
        ("settings keepalive ON", "keepalive", "on"),
        ("settings mark eor", "mark", "eor"),
        ("settings colour off", "colour", "none"),
        ("colour off", "colour", "none"),
        ("color 256", "colour", "256"),
        ("width 40", "width", "40"),
        ("prompt off", "prompt", "off"),
        ("prompt Gold, health", "prompt", "gold health"),
        ("brief", "brief", "on"),
        ("brief off", "brief", "off"),
        ("more", "pager", "on"),
        ("pager off", "pager", "off"),
        ("settings sr on", "screenreader", "on"),
        ("sr", "screenreader", "on"),
        ("screenreader off", "screenreader", "off"),
    ],
)
def test_a_setting_is_kept_with_the_character(line: str, name: str, value: str) -> None:
    scene = in_town()
    assert value in ann_types(line, scene=scene)[0]
    assert (scene.me("Ann").settings or {})[name] == value
    assert scene.me("Bob").settings is None


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("settings width 19", "Width can be: auto, 20-500."),
        ("settings width 501", "Width can be: auto, 20-500."),
        ("settings width 20-500", "Width can be: auto, 20-500."),
        ("settings width ²⁰", "Width can be: auto, 20-500."),
        (
            "settings prompt health luck",
            "Prompt can be: on, off; or some of health, gold, level, xp, fight, room, exits.",
        ),
        ("settings prompt ,", "Prompt can be: on, off; or some of health, gold, level, xp, fight, room, exits."),
        ("settings brief maybe", "Brief can be: off, on."),
        ("settings sr 40", "Screenreader can be: off, on."),
        ("sr loud", "Screenreader can be: off, on."),
        ("colour pink", "Colour can be: auto, none, 16, 256, true."),
        ("brief maybe", "Brief can be: off, on."),
        ("width", "width is auto: letters in a line; auto asks your client (auto, 20-500)."),
        ("width off", "Width can be: auto, 20-500."),
    ],
)
def test_bad_values_change_nothing(line: str, sentence: str) -> None:
    scene = in_town()
    assert ann_types(line, scene=scene) == [sentence]
    assert scene.me("Ann").settings is None


def test_an_unknown_setting() -> None:
    assert ann_types("settings volume 11")[0].startswith("There is no setting volume. There are: brief, ")


def test_brief_toggles() -> None:
    scene = in_town()
    assert [words.partition(":")[0] for words in ann_types("brief", "brief", scene=scene)] == [
        "brief is on",
        "brief is off",
    ]


def test_screenreader_toggles() -> None:
    scene = in_town()
    assert ann_types("sr", "sr", scene=scene) == [
        "Screen reader mode is on: one thing a line, no art, no boxes. To end it, type: sr off",
        "Screen reader mode is off.",
    ]


# ── own shortcuts ───────────────────────────────────────────────────────────────────────────────


def test_a_shortcut_is_a_command() -> None:
    """With what is typed behind it; it is listed, and given up."""
    scene = in_town()
    assert ann_types("alias greet say good day,", scene=scene) == ["From now on, greet means: say good day,"]
    assert typed(scene, "Ann", "greet Bob")["Bob"] == ['Ann says, "good day, Bob"']
    assert ann_types("alias", scene=scene) == ["greet means: say good day,"]
    assert ann_types("alias greet", scene=scene) == ["greet means: say good day,"]
    assert ann_types("unalias greet", scene=scene) == ["The shortcut greet is gone."]
    assert scene.me("Ann").aliases is None


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ("alias", "You have no shortcuts."),
        ("alias x", "You have no shortcut x."),
        ("alias quit say no", "A shortcut is a word of up to 20 letters"),
        ("alias a-b say no", "A shortcut is a word of up to 20 letters"),
        (f"alias {'x' * 21} say no", "A shortcut is a word of up to 20 letters"),
        (f"alias long {'x' * 201}", "That is too long"),
        ("unalias nothing", "You have no shortcut nothing."),
        ("unalias", "Which one?"),
    ],
)
def test_refused_shortcuts(line: str, begins: str) -> None:
    scene = in_town()
    assert ann_types(line, scene=scene)[0].startswith(begins)
    assert not scene.me("Ann").aliases


def test_shortcuts_are_bounded() -> None:
    scene = in_town()
    scene.type("Ann", *[f"alias x{number} say {number}" for number in range(51)])
    assert len(scene.me("Ann").aliases or {}) == 50
    assert scene.hear("Ann")[-1].startswith("You have 50 shortcuts")


# ── help ────────────────────────────────────────────────────────────────────────────────────────


def test_help_of_a_command() -> None:
    assert ann_types("help say") == [
        "say ('): Say something to all in the room.",
        "Type: say <words>",
        "Type: '<words>",
        "See also: emote, whisper, tell, shout.",
    ]


def test_help_by_alias_and_beginning() -> None:
    assert ann_types("help kill")[0].startswith("attack (kill, k):")
    assert ann_types("help whis")[0].startswith("whisper:")


def test_help_without_a_word() -> None:
    assert ann_types("help")[0] == "To see a command, type help <command>. All of them: commands"


def test_help_on_nothing_offers_what_is_near() -> None:
    assert ann_types("help wisper") == ["There is no help on wisper. Did you mean: whisper?"]
    assert ann_types("help xyzzyplugh") == ["There is no help on xyzzyplugh. Type: commands"]


def test_keepers_help_is_for_keepers() -> None:
    """Others are not even offered it."""
    assert ann_types("help @kick")[0].startswith("There is no help on @kick.")
    scene = in_town()
    scene.me("Ann").keeper = True
    assert ann_types("help @kick", scene=scene)[0].startswith("@kick: ")


def test_commands() -> None:
    """By groups; for a screen reader one a line; a keeper sees more."""
    scene = in_town()
    heard = ann_types("commands", scene=scene)
    assert any(words.startswith("People: ask, channels, chat, ") for words in heard)
    assert not any("@" in words for words in heard)
    scene.type("Ann", "sr on")
    scene.hear_all()
    plain = ann_types("commands", scene=scene)
    assert "People" in plain
    assert "ask: Ask one of the people who live here about something they mentioned." in plain
    scene.me("Ann").keeper = True
    assert any(words.startswith("@kick: ") for words in ann_types("commands", scene=scene))


# ── leaving and staying ─────────────────────────────────────────────────────────────────────────


def test_quit() -> None:
    """One hears a last word before the line closes; the others see one go."""
    scene = in_town()
    heard = typed(scene, "Ann", "quit")
    assert heard["Ann"] == ["Goodbye. The lamps stay lit."]
    assert any("Ann" in words for words in heard["Bob"])
    assert scene.ears["Ann"].closed is not None
    assert scene.realm.session_of(scene.me("Ann").id) is None


def test_save() -> None:
    assert ann_types("save") == ["Saved. You need not: everything you do is kept by itself."]
    scene = in_town()
    scene.me("Ann").account = None
    assert ann_types("save", scene=scene)[0].startswith("Saved, for as long as you stay.")


def test_a_guest_becomes_somebody() -> None:
    """Without leaving, and the others learn the new name. The password is in no log."""
    scene = in_town("Bob")
    scene.arrive("Guest9", room="t:inn", guest=True)
    me = scene.me("Guest9")
    scene.hear_all()
    scene.type("Guest9", "register dora")
    assert asked(scene, "Guest9") == ("A password for Dora?", True)
    scene.type("Guest9", "correct horse")
    assert asked(scene, "Guest9") == ("The same again, please:", True)
    assert scene.hear_all() == {"Bob": [], "Guest9": []}
    heard = typed(scene, "Guest9", "correct horse")
    assert (me.name, me.account is not None) == ("Dora", True)
    assert "Guest9 is now known as Dora." in heard["Bob"]
    assert "correct horse" not in str(heard)
    assert scene.ears["Guest9"].closed is None


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (("register",), "Which name? Type: register <name>"),
        (("register x",), "A name has 3 to 16 letters."),
        (("register dora", "correct horse", "correct house"), "Those two were not the same. Nothing is changed."),
        (("register dora", ""), "No password, nothing changed."),
        (("register dora", "short", "short"), "A password has at least 8 characters."),
        (("password",), "A guest has no password. Type: register <name>"),
    ],
)
def test_a_guest_stays_a_guest(lines: tuple[str, ...], sentence: str) -> None:
    scene = in_town("Bob")
    scene.arrive("Guest9", room="t:inn", guest=True)
    scene.hear_all()
    assert sentence in typed(scene, "Guest9", *lines)["Guest9"]
    assert (scene.me("Guest9").name, scene.me("Guest9").account) == ("Guest9", None)
    assert typed(scene, "Guest9", "say still me")["Bob"] == ['Guest9 says, "still me"']


def test_a_password_is_changed() -> None:
    scene = in_town()
    assert ann_types("password", "a long password", "a new password", "a new password", scene=scene)[-1] == (
        "Your password is changed."
    )
    assert ann_types("password", "a long password", "something else", "something else", scene=scene)[-1] == (
        "That is not your password. Nothing was changed."
    )
    assert ann_types("register dora", scene=scene) == ["You have an account already."]
