"""Channels: listening, history, mutes and pace."""

from __future__ import annotations

import pytest

from mythos.errors import Refusal
from mythos.ids import EntityId, RoomId
from mythos.play.channels import CHANNELS, HISTORY, Channels
from mythos.world.state import Character


def character(name: str = "Ann") -> Character:
    return Character(EntityId(f"c-{name}"), name, RoomId("z:r"))


def test_the_channel_comes_first() -> None:
    """A screen reader hears where it is said before who says it."""
    said = Channels().speak(0.0, character(), "chat", "hello")
    assert (said.kind, said.text) == ("channel", "[chat] Ann: hello")


@pytest.mark.parametrize("channel", list(CHANNELS))
def test_everybody_listens_until_they_switch_it_off(channel: str) -> None:
    """What was chosen is kept with the character, and one channel says nothing about another."""
    channels, ann = Channels(), character()
    assert channels.hears(ann, channel)
    channels.listen(ann, channel, False)
    assert not channels.hears(ann, channel)
    assert all(channels.hears(ann, other) for other in CHANNELS if other != channel)
    assert ann.settings == {f"channel.{channel}": "off"}
    channels.listen(ann, channel, True)
    assert channels.hears(ann, channel)
    assert ann.settings is None


def test_who_does_not_listen_does_not_speak() -> None:
    channels, ann = Channels(), character()
    channels.listen(ann, "chat", False)
    with pytest.raises(Refusal, match="channels on chat"):
        channels.speak(0.0, ann, "chat", "hello?")
    assert channels.history("chat") == ()


def test_history_is_bounded_and_in_order() -> None:
    """The last fifty lines are kept, oldest first."""
    channels, ann = Channels(per_minute=60.0, burst=1.0), character()
    for number in range(HISTORY + 7):
        channels.speak(float(number + 1), ann, "chat", str(number))
    assert [one.text for one in channels.history("chat")] == [f"[chat] Ann: {n}" for n in range(7, HISTORY + 7)]
    assert channels.history("newbie") == ()


def test_pace_is_for_each_player_and_channel() -> None:
    """Who talks too fast is told how long to wait; others, and other channels, go on."""
    channels, ann, bob = Channels(per_minute=6.0, burst=2.0), character(), character("Bob")
    channels.speak(100.0, ann, "chat", "one")
    channels.speak(100.0, ann, "chat", "two")
    with pytest.raises(Refusal, match="too fast"):
        channels.speak(100.0, ann, "chat", "three")
    channels.speak(100.0, bob, "chat", "me too")
    channels.speak(100.0, ann, "newbie", "here")
    channels.speak(110.0, ann, "chat", "now")
    assert [one.text for one in channels.history("chat")] == [
        "[chat] Ann: one",
        "[chat] Ann: two",
        "[chat] Bob: me too",
        "[chat] Ann: now",
    ]


def test_tells_have_a_pace_of_their_own() -> None:
    channels, ann = Channels(per_minute=600.0, tells_per_minute=6.0, burst=1.0), character()
    channels.pace(100.0, ann.id)
    with pytest.raises(Refusal, match="Wait 11 seconds"):
        channels.pace(100.0, ann.id)
    channels.speak(100.0, ann, "chat", "still here")
    channels.pace(110.0, ann.id)


def test_a_mute_ends() -> None:
    channels, ann = Channels(), character()
    channels.mute(ann.id, 300.0)
    with pytest.raises(Refusal, match="again in 5 minutes"):
        channels.speak(0.5, ann, "chat", "hey")
    channels.speak(300.0, ann, "chat", "sorry")
    channels.mute(ann.id, 900.0)
    channels.mute(ann.id, 0.0)
    channels.speak(301.0, ann, "chat", "thanks")


def test_speakers_that_are_remembered_are_bounded() -> None:
    """Ten thousand guests that say one thing each leave no ten thousand buckets behind."""
    channels = Channels()
    for number in range(5000):
        channels.pace(1.0, EntityId(f"c{number}"))
    assert len(channels._tells) <= 2048
