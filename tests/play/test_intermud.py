"""Our players among those of other MUDs, through the router in the box and its codec, without a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.net.i3.exchange import Exchange, Seat
from mythos.play.intermud import SERVICES, Intermud
from mythos.play.narrate.elsewhere import COLOURED, TEXT, coloured
from mythos.play.visnames import MUDS, USERS, Visnames
from mythos.wire.ansi import Colours, render, style
from mythos.wire.i3 import lpc, packets
from mythos.wire.i3.directory import Directory
from mythos.wire.i3.packets import BadPacket, Packet, parse, values
from mythos.wire.i3.pinkfish import plain
from mythos.wire.message import Line, Role, Span, line
from tests.net.i3.peer import Mud
from tests.scenes.people import in_town, typed
from tests.scenes.scene import Ear, Scene


class Wired:
    """A port that is a seat of an exchange: what goes either way goes through the codec."""

    def __init__(self, exchange: Exchange, name: str) -> None:
        self.exchange = exchange
        self.sent: list[Packet] = []
        self.intermud: Intermud | None = None
        self.seat = Seat(self._heard, lambda: None, "192.0.2.7")
        self.name = name
        self.directory = Directory()

    def start(self) -> None:
        texts = ("Mythos", "Mythos", "Mythos", "Mythos", "open", "a@example.org")
        self._raw(
            packets.StartupRequest(
                self.name, "", self.exchange.name, "", 0, 0, 0, 4000, 0, 0, *texts, dict(SERVICES), {}
            )
        )

    def send(self, packet: Packet) -> bool:
        self.sent.append(packet)
        self._raw(packet)
        return True

    def _raw(self, packet: Packet) -> None:
        (value,), error = lpc.decode(lpc.encode(values(packet)))
        assert error is None
        self.exchange.received(self.seat, value, 100.0)

    def _heard(self, value: list[Any]) -> None:
        (found,), error = lpc.decode(lpc.encode(value))
        assert error is None
        packet = parse(found)
        assert self.intermud is not None
        if isinstance(packet, packets.StartupReply):
            self.intermud.up(packet.from_mud)
        else:
            self.learn(packet)

    def learn(self, packet: Packet) -> None:
        """A packet from the router."""
        assert self.intermud is not None
        if isinstance(packet, packets.MudList | packets.ChannelList):
            self.directory.learn(packet)
        self.intermud.received(packet)


class World:
    """Ann and Bob here; one other MUD; a router with a channel."""

    def __init__(self) -> None:
        numbers = count(1000)
        self.exchange = Exchange("*box", "192.0.2.9 8787", lambda: next(numbers), private=True)
        self.exchange.channels["gossip"] = packets.ChannelInfo("*box", 0)
        self.scene: Scene = in_town()
        self.port = Wired(self.exchange, "Ours")
        self.port.intermud = self.intermud = Intermud(self.scene.realm, "Ours", self.port)
        self.scene.realm.intermud = self.intermud
        self.port.start()
        self.other = Mud(self.exchange, "Other MUD")
        self.other.start()
        self.other.say("channel-listen", "gossip", 1, to="*box")
        self.other.take()

    def typed(self, who: str, line: str) -> list[str]:
        return typed(self.scene, who, line).get(who, [])

    def hear(self, who: str) -> list[str]:
        self.scene.run()
        return self.scene.hear(who)

    def lines(self, who: str) -> list[Line]:
        """As :meth:`hear`, with the roles of the words."""
        self.scene.run()
        found = [what for _, _, what in self.scene.ears[who].session.log.entries if isinstance(what, Line)]
        self.scene.hear(who)
        return found


@pytest.fixture
def world() -> Iterator[World]:
    yield World()


def test_tell_and_reply(world: World) -> None:
    assert world.typed("Ann", "i3 tell Zoe@other mud: hello there") == ['You tell zoe@Other MUD, "hello there"']
    assert world.other.take("tell") == [["tell", 4, "Ours", "ann", "Other MUD", "zoe", "Ann", "hello there"]]
    world.other.say("tell", "%^RED%^Zoe%^RESET%^", "hi \x1b[31myou", user="Zoe", to="Ours", to_user="ANN")
    assert world.hear("Ann") == ['Zoe@Other MUD tells you, "hi you"']
    assert world.typed("Ann", "i3 reply and you") == ['You tell zoe@Other MUD, "and you"']
    assert world.other.take("tell")[0][5:] == ["zoe", "Ann", "and you"]


def test_a_reply_to_a_mud_with_a_colon_in_its_name(world: World) -> None:
    third = Mud(world.exchange, "Dead Souls: Test")
    third.start()
    third.say("tell", "Zoe", "hi", user="zoe", to="Ours", to_user="ann")
    world.hear("Ann")
    assert world.typed("Ann", "i3 reply") == ["Reply what to zoe@Dead Souls: Test?"]
    assert world.typed("Ann", "i3 reply and: you") == ['You tell zoe@Dead Souls: Test, "and: you"']
    assert third.take("tell")[0][5:] == ["zoe", "Ann", "and: you"]


def test_what_the_link_does_not_take(world: World) -> None:
    """Whoever says it is told that it was not sent, and it is on no channel here either."""
    world.typed("Ann", "i3 listen gossip")
    world.port.send = lambda packet: False  # type: ignore[method-assign]
    no = ["Too much waits for the router just now. Nothing was sent; try again in a moment."]
    assert world.typed("Ann", "i3 tell zoe@other: hi") == no
    assert world.typed("Ann", "i3 emote zoe@other: waves.") == no
    assert world.typed("Ann", "i3 chan gossip hi") == no
    assert world.typed("Ann", "i3 who other") == no
    assert world.typed("Ann", "i3 history gossip") == ["Nothing was heard on gossip yet."]


def test_nobody_of_that_name(world: World) -> None:
    """The sender is told, with what it sent."""
    world.other.say("tell", "Zoe", "hi", user="zoe", to="Ours", to_user="nobody")
    (error,) = world.other.take("error")
    assert (error[5], error[6], error[8][:1]) == ("zoe", "unk-user", ["tell"])


def test_emotes(world: World) -> None:
    world.other.say("emoteto", "Zoe", "$N waves.", user="zoe", to="Ours", to_user="ann")
    assert world.hear("Ann") == ["Zoe@Other MUD waves."]
    world.typed("Ann", "i3 emote zoe@Other MUD: bows.")
    assert world.other.take("emoteto")[0][7] == "$N bows."


def test_a_channel(world: World) -> None:
    """Heard here at once and once, there by all who listen; its history is kept; who does not listen hears nothing."""
    assert world.typed("Ann", "i3 chan gossip hi") == ["You do not listen to gossip. Type: i3 listen gossip"]
    world.typed("Ann", "i3 listen gossip")
    assert world.typed("Ann", "i3 chan gossip hello all") == ["[gossip] Ann: hello all"]
    assert world.other.take("channel-m")[0][6:] == ["gossip", "Ann", "hello all"]
    world.other.say("channel-m", "gossip", "Zoe", "hey", user="zoe")
    world.other.say("channel-e", "gossip", "Zoe", "$N yawns.", user="zoe")
    world.other.say("channel-t", "gossip", "Ours", "ann", "$N pokes $O.", "$N pokes you.", "Zoe", "Ann", user="zoe")
    heard = ["[gossip] Zoe@Other MUD: hey", "[gossip] Zoe@Other MUD yawns."]
    assert world.hear("Ann") == [*heard, "[gossip] Zoe@Other MUD pokes you."]
    assert world.hear("Bob") == []
    past = ["[gossip] Ann: hello all", *heard, "[gossip] Zoe@Other MUD pokes Ann."]
    assert world.typed("Bob", "i3 history gossip") == past
    world.typed("Ann", "i3 unlisten gossip")
    world.other.say("channel-m", "gossip", "Zoe", "gone?", user="zoe")
    assert world.hear("Ann") == []
    assert "gossip" not in world.port.seat.hears


def test_an_emote_at_somebody(world: World) -> None:
    """Who is aimed at reads words of their own, all others the same ones; a target elsewhere is not one of ours."""
    for who in ("Ann", "Bob"):
        world.typed(who, "i3 listen gossip")

    def poke(mud: str, user: str, visname: str) -> tuple[list[str], list[str]]:
        words = "$N pokes $O.", "$N pokes you, $O."
        world.other.say("channel-t", "gossip", mud, user, *words, "Zoe", visname, user="zoe")
        return world.hear("Ann"), world.hear("Bob")

    pokes = "[gossip] Zoe@Other MUD pokes"
    assert poke("Ours", "ann", "") == ([f"{pokes} you, Ann."], [f"{pokes} Ann."])
    assert poke("Other MUD", "ann", "%^RED%^Anna") == ([f"{pokes} Anna@Other MUD."],) * 2
    world.other.say("ucache-update", "ann", "Annabel", 1)
    assert poke("Other MUD", "ann", "") == ([f"{pokes} Annabel@Other MUD."],) * 2
    assert poke("Ours", "nobody", "") == ([f"{pokes} nobody@Ours."],) * 2


def test_what_others_are_called(world: World) -> None:
    """Who does not say it is asked for once; what a MUD tells of its people is believed, of no others."""
    for who in ("Ann", "Bob"):
        world.typed(who, "i3 listen gossip")
    third = Mud(world.exchange, "Third")
    third.start()

    def said() -> list[str]:
        world.other.say("channel-m", "gossip", 0, "hey", user="Zoe")
        heard = world.hear("Ann")
        assert world.hear("Bob") == heard
        return heard

    assert said() == said() == ["[gossip] Zoe@Other MUD: hey"]
    assert world.other.take("chan-user-req") == [["chan-user-req", 4, "Ours", 0, "Other MUD", 0, "zoe"]]
    third.say("chan-user-reply", "zoe", "Nobody", 2, to="Ours")
    assert said() == ["[gossip] Zoe@Other MUD: hey"]
    world.other.say("chan-user-reply", "zoe", "%^RED%^Zoe\x1b the\nFirst", 1, to="Ours")
    assert said() == ["[gossip] Zoe the First@Other MUD: hey"]
    assert world.typed("Ann", "i3 tell zoe@other: hi") == ['You tell Zoe the First@Other MUD, "hi"']
    world.other.say("ucache-update", "ZOE", "Zoe the Last", 1)
    assert said() == ["[gossip] Zoe the Last@Other MUD: hey"]
    assert world.typed("Bob", "i3 emote zoe@other: nods.") == ["To Zoe the Last@Other MUD: Bob nods."]
    asked = len(world.port.sent)
    world.intermud.received(packets.ChannelMessage("*box", "op", "", "", "gossip", "", "hello"))  # no MUD to ask
    assert (world.hear("Ann"), world.hear("Bob")) == (["[gossip] op@*box: hello"],) * 2
    assert len(world.port.sent) == asked
    world.other.say("ucache-update", "zoe", "\x1b", 1)
    assert said() == ["[gossip] Zoe the Last@Other MUD: hey"]
    assert world.other.take("chan-user-req") == []


def test_names_without_end() -> None:
    """A MUD that tells many pushes out its own, the last told stay; so it is with MUDs."""
    names = Visnames()
    names.put("Other MUD", "zoe", "Zoe")
    for number in range(USERS + 1):
        names.put("Third", f"User{number}", "x")
    assert names.get("Other MUD", "ZOE") == "Zoe"
    assert (names.get("Third", "user0"), names.get("Third", "user1")) == (None, "x")
    for number in range(MUDS - 1):
        names.put(f"MUD {number}", "zoe", "x")
    assert (names.get("Other MUD", "zoe"), names.get("Third", "user1")) == (None, "x")


def test_what_we_are_called(world: World) -> None:
    """Told when a player comes in, once; not of guests, but when they have a name; and to who asks."""
    world.scene.arrive("Cid")
    assert world.other.take("ucache-update") == [["ucache-update", 4, "Ours", 0, 0, 0, "cid", "Cid", 2]]
    session = world.scene.ears["Cid"].session
    world.scene.realm.quit(session)
    world.scene.run()
    again = world.scene.realm.open_session(session.me)
    world.scene.realm.attach(Ear(again), again, token=False, then=lambda attached: None)
    assert [one.me.name for one in world.scene.realm.sessions()] == ["Ann", "Bob", "Cid"]
    world.scene.arrive("Guest7", guest=True)
    assert world.other.take("ucache-update") == []
    world.typed("Guest7", "register Dot")
    world.typed("Guest7", "a long password")
    world.typed("Guest7", "a long password")
    assert [one[6:] for one in world.other.take("ucache-update")] == [["dot", "Dot", 2]]
    world.other.say("chan-user-req", "DOT", to="Ours")
    world.other.say("chan-user-req", "nobody", to="Ours")
    world.scene.run()
    reply, error = world.other.take()
    assert reply == ["chan-user-reply", 4, "Ours", 0, "Other MUD", 0, "dot", "Dot", 2]
    assert (error[0], error[6]) == ("error", "unk-user")
    world.scene.realm.quit(world.scene.ears["Guest7"].session)
    world.scene.run()
    for name in ("dot", "d\u00f3t"):
        world.other.say("chan-user-req", name, to="Ours")
        world.scene.run()
    away, error = world.other.take()
    assert away == reply
    assert (error[0], error[6]) == ("error", "unk-user")
    world.intermud.down()
    asked = len(world.port.sent)
    world.scene.arrive("Eve")
    assert len(world.port.sent) == asked


def test_who_listens(world: World) -> None:
    """Asked by us, and by others."""
    assert world.typed("Ann", "i3 chanwho gossip@OTHER") == ["You ask who listens to gossip on Other MUD."]
    assert world.other.take("chan-who-req") == [["chan-who-req", 4, "Ours", "ann", "Other MUD", 0, "gossip"]]
    names = ["%^RED%^Zoe", "Y\x1ban" + "n" * 99]
    world.other.say("chan-who-reply", "gossip", names, to="Ours", to_user="ann")
    world.other.say("chan-who-reply", "gossip", [], to="Ours", to_user="ann")
    shown = f"gossip on Other MUD: Zoe, Yan{'n' * 61}."
    assert world.hear("Ann") == [shown, "gossip on Other MUD: nobody."]
    assert world.hear("Bob") == []
    usage = ["Who listens to which channel on which MUD? Type: i3 chanwho <channel>@<mud>"]
    assert [world.typed("Ann", f"i3 chanwho {words}") for words in ("", "gossip", "@Other MUD", "gossip@")] == [
        usage
    ] * 4
    world.typed("Bob", "i3 listen gossip")
    world.other.say("chan-who-req", "gossip", user="zoe", to="Ours")
    assert world.other.take("chan-who-reply") == [
        ["chan-who-reply", 4, "Ours", 0, "Other MUD", "zoe", "gossip", ["Bob"]]
    ]


def test_colours(world: World) -> None:
    """Words keep their colours, in the history too; whoever said them is shown as a player, whatever the visname."""
    world.typed("Ann", "i3 listen gossip")
    world.typed("Bob", "i3 listen gossip")
    said = "hot %^RED%^tea  %^BOLD%^ now%^RESET%^\x1b[2J !  "
    zoe = Span("Zoe@Other MUD", Role.PLAYER)
    tea = Span("hot "), Span("tea ", Role.RED), Span("now", Role.BRIGHT_RED), Span(" !")
    world.other.say("channel-m", "gossip", "%^BLUE%^Zoe", said, user="zoe")
    world.other.say("channel-e", "gossip", "Zoe", "%^CYAN%^$N hums.", user="zoe")
    for who in ("Ann", "Bob"):
        first, second = world.lines(who)
        assert first.spans == (Span("[gossip] "), zoe, Span(": "), *tea)
        assert second.spans == (Span("[gossip] "), zoe, Span(" hums.", Role.CYAN))
    world.other.say("tell", "Zoe", said, user="zoe", to="Ours", to_user="ann")
    (told,) = world.lines("Ann")
    assert told.spans == (zoe, Span(' tells you, "'), *tea, Span('"'))
    assert render(told, style(Colours.ANSI)) == (
        b'\x1b[94mZoe@Other MUD\x1b[0m tells you, "hot \x1b[31mtea \x1b[0m\x1b[91mnow\x1b[0m !"\r\n'
    )
    words = b'Zoe@Other MUD tells you, "hot tea now !"\r\n'
    assert render(told, style()) == render(told, style(Colours.TRUE, screen_reader=True)) == words
    again = Intermud(world.scene.realm, "Ours", world.port)
    again.remember(json.loads(json.dumps(world.intermud.kept())))
    ears = world.scene.ears
    assert [one.spans for one in again.history(ears["Ann"].session, "gossip")] == [first.spans, second.spans]


def test_colours_behind_words(world: World) -> None:
    """They stay with their words through emotes and spaces; what the server remembers has them in its letters."""
    world.typed("Ann", "i3 listen gossip")
    world.other.say("channel-e", "gossip", "Zoe", "$N %^B_RED%^is \n %^YELLOW%^here%^RESET%^.", user="zoe")
    (heard,) = world.lines("Ann")
    zoe = Span("Zoe@Other MUD", Role.PLAYER)
    behind = Span("is ", ground=Role.RED), Span("here", Role.BRIGHT_YELLOW, ground=Role.RED)
    assert heard.spans == (Span("[gossip] "), zoe, Span(" "), *behind, Span("."))
    again = Intermud(world.scene.realm, "Ours", world.port)
    again.remember(json.loads(json.dumps(world.intermud.kept())))
    (kept,) = again.history(world.scene.ears["Ann"].session, "gossip")
    assert kept.spans[3:5] == (Span("is ", Role.RED), Span("here", Role.BRIGHT_YELLOW))


def test_codes_that_our_players_type_are_words(world: World) -> None:
    """Nobody there reads a colour in them, and here they are shown as they were typed."""
    world.typed("Ann", "i3 listen gossip")
    assert world.typed("Ann", "i3 chan gossip 5%^RED%^ off") == ["[gossip] Ann: 5%^RED%^ off"]
    assert world.typed("Ann", "i3 chan gossip :is %^RED%^") == ["[gossip] Ann is %^RED%^"]
    world.typed("Ann", "i3 tell zoe@other: %^RED%^")
    world.typed("Ann", "i3 emote zoe@other: is %%^^RED%^")
    assert [one[-1] for one in world.other.take()] == ["5%RED% off", "$N is %RED%", "%RED%", "$N is %%RED%"]


def test_words_without_end(world: World) -> None:
    """A line is bounded in letters and in colours, whatever is repeated in it, and has no word cut off before that."""
    world.typed("Ann", "i3 listen gossip")
    colours = "".join(["%^RED%^a%^BLUE%^b"] * 9000)
    world.other.say("channel-m", "gossip", "Zoe", colours, user="zoe")
    world.other.say("channel-e", "gossip", "Z" * 900, "$N" * 9000, user="zoe")
    world.typed("Ann", "i3 chan gossip :" + "$N" * 1500)
    world.hear("Ann")
    painted, named, ours = world.intermud.history(world.scene.ears["Ann"].session, "gossip")
    assert painted.text == "[gossip] Zoe@Other MUD: " + "ab" * (TEXT // 2)
    assert len(painted.spans) <= COLOURED + 3
    assert all(len(one.text) < TEXT + 100 and len(one.spans) <= COLOURED + 3 for one in (named, ours))


@given(st.text("%^REDB \n\u2028a", max_size=60))
def test_any_words_on_one_line(text: str) -> None:
    """Coloured or not, they are the same words, one space between them."""
    shown = line("x", coloured(text)).text
    assert shown == " ".join(plain(text).split())


def test_an_open_channel_of_ours(world: World) -> None:
    """A keeper makes it; all hear it but whom the keeper bans; it goes when the keeper removes it."""
    assert world.typed("Bob", "i3 channel add tea") == ["Only keepers make channels, and change those of this MUD."]
    world.scene.me("Ann").keeper = True
    assert world.typed("Ann", "i3 channel add tea") == ["You ask *box for a channel tea, open."]
    assert world.other.take("chanlist-reply")[0][7] == {"tea": ["Ours", 0]}
    for who in ("Ann", "Bob"):
        world.typed(who, "i3 listen tea")
    world.other.say("channel-listen", "tea", 1, to="*box")
    world.typed("Bob", "i3 chan tea hot")
    assert world.other.take("channel-m")[0][6:] == ["tea", "Bob", "hot"]
    assert world.typed("Ann", "i3 channel ban tea other") == ["You ask *box to keep Other MUD out of tea."]
    cold = ["[tea] Bob: cold"]
    assert typed(world.scene, "Bob", "i3 chan tea cold") == {"Ann": cold, "Bob": cold}
    world.other.say("channel-m", "tea", "Zoe", "hey", user="zoe")
    assert [one[0] for one in world.other.take()] == ["error"]
    assert world.hear("Ann") == world.hear("Bob") == []
    assert world.typed("Ann", "i3 channel forgive tea other") == ["You ask *box to let Other MUD into tea."]
    world.other.say("channel-listen", "tea", 1, to="*box")
    world.other.say("channel-m", "tea", "Zoe", "hey", user="zoe")
    assert world.hear("Ann") == world.hear("Bob") == ["[tea] Zoe@Other MUD: hey"]
    assert world.typed("Ann", "i3 channel remove tea") == ["You ask *box to remove tea."]
    assert "tea" not in world.exchange.channels
    assert world.typed("Ann", "i3 channels") == ["gossip of *box: off.", "tea of nobody: you listen."]
    world.typed("Ann", "i3 channel add tea")
    assert "tea" in world.port.seat.hears


def test_a_selective_channel_of_ours(world: World) -> None:
    """Nobody hears it but us and whom a keeper admits."""
    world.scene.me("Ann").keeper = True
    world.typed("Ann", "i3 channel add staff Selective")
    world.typed("Ann", "i3 listen staff")
    assert world.typed("Bob", "i3 channels")[1] == "staff of Ours, selective: off."
    world.other.say("channel-listen", "staff", 1, to="*box")
    assert world.other.errors() == ["not-allowed"]
    world.typed("Ann", "i3 channel admit staff Other MUD")
    world.other.say("channel-listen", "staff", 1, to="*box")
    assert world.other.errors() == []
    world.typed("Ann", "i3 channel ban staff Other MUD")
    world.typed("Ann", "i3 chan staff hi")
    assert world.other.take("channel-m") == []


def test_whom_a_channel_of_ours_bans(world: World) -> None:
    """The router says it to the keeper who asked; a MUD cannot."""
    world.scene.me("Ann").keeper = True
    world.typed("Ann", "i3 channel add tea")
    world.typed("Ann", "i3 channel add staff selective")
    world.typed("Ann", "i3 channel ban tea Other MUD")
    assert world.typed("Ann", "i3 channel list tea") == ["tea bans Other MUD.", "You ask *box whom tea bans."]
    assert world.typed("Ann", "i3 channel list staff") == ["staff admits nobody.", "You ask *box whom staff admits."]
    world.intermud.received(packets.ChannelAdminListReply("Other MUD", "", "Ours", "ann", "tea", ["x"]))
    world.intermud.received(packets.ChannelAdminListReply("*box", "", "Ours", "ann", "nowhere", ["x"]))
    assert world.hear("Ann") == []
    world.intermud.received(packets.ChannelAdminListReply("*box", "", "Ours", "ann", "tea", ["%^RED%^A\x1b\n", "B"]))
    assert world.hear("Ann") == ["tea bans A, B."]


def test_what_cannot_be_done_to_channels(world: World) -> None:
    """It is said why, and no router is asked."""
    world.scene.me("Ann").keeper = True
    world.exchange.channels["theirs"] = packets.ChannelInfo("Other MUD", 0)
    listed: dict[Any, Any] = {"theirs": ["\x1b[mOther MUD", 0], 5: ["A", 0], "": ["A", 0], "odd": ["A"]}
    world.port.learn(packets.ChannelList("*box", "", "Ours", "", 9, listed))
    assert sorted(world.intermud.channels) == ["gossip", "theirs"]
    world.typed("Ann", "i3 channel add tea")
    usage = (
        "Type i3 channel and: add <channel> [kind], remove or list <channel>, admit, ban or forgive <channel> <mud>."
    )
    asked = len(world.port.sent)
    for words, answer in (
        ("add", usage),
        ("ban tea", usage),
        ("dance tea Other MUD", usage),
        ("remove tea now", usage),
        ("add two words", "A channel can be: open, selective, filtered."),
        ("add %^RED%^", "A channel's name is one word of up to 32 letters and numbers, - and _."),
        ("add tea", "Ours has a channel tea already."),
        ("remove gin", "There is no channel called gin. To see which there are, type: i3 channels"),
        ("list", usage),
        ("list tea now", usage),
        ("list theirs", "theirs is Other MUD's. Only those there can change it."),
        ("remove theirs", "theirs is Other MUD's. Only those there can change it."),
        ("ban theirs Ours", "theirs is Other MUD's. Only those there can change it."),
        ("ban tea ours", "tea is ours: we are always on it."),
        ("ban tea nowhere", "There is no MUD called nowhere. To see which there are, type: i3 muds"),
    ):
        assert world.typed("Ann", f"i3 channel {words}") == [answer]
    world.intermud.down()
    assert world.typed("Ann", "i3 channel add gin") == ["This world is not connected to other MUDs just now."]
    assert len(world.port.sent) == asked


def test_the_router_has_the_last_word(world: World) -> None:
    """What it says of a channel is told to the keeper who asked; a MUD cannot say it."""
    world.scene.me("Ann").keeper = True
    del world.port.directory.channels["gossip"]
    heard = world.typed("Ann", "i3 channel add gossip")
    assert heard == ["*box: gossip is *box's.", "You ask *box for a channel gossip, open."]
    world.intermud.received(packets.ChannelAck("*box", "", "Ours", "ann", "%^RED%^done\x1b"))
    world.intermud.received(packets.ChannelAck("Other MUD", "", "Ours", "ann", "done"))
    assert world.hear("Ann") == ["*box: done"]


def test_a_filtered_channel_of_ours(world: World) -> None:
    """The router asks us of each line: it passes with its header, clean and not too long; a flood does not pass."""
    world.scene.me("Ann").keeper = True
    world.typed("Ann", "i3 channel add tea filtered")
    world.typed("Ann", "i3 channel admit tea Other MUD")
    for who in ("Ann", "Bob"):
        world.typed(who, "i3 listen tea")
    world.other.say("channel-listen", "tea", 1, to="*box")
    world.other.take()
    world.other.say("channel-m", "tea", "%^RED%^Zoe", "100%^ %^RED%^hot", user="zoe")
    world.other.say("channel-e", "tea", "Zoe", "$N \x1b[2Jfaints.\nAnn: I lie", user="zoe")
    world.other.say("channel-t", "tea", "Ours", "ann", "$N pokes $O.", "\x07" + "x" * 9000, "Zoe", "Ann", user="zoe")
    said, emoted, aimed = world.other.take()
    assert said[2:] == ["Other MUD", "zoe", 0, 0, "tea", "%^RED%^Zoe", "100%^ %^RED%^hot"]
    assert emoted[6:] == ["tea", "Zoe", "$N faints. Ann: I lie"]
    assert (aimed[7:10], len(aimed[10])) == (["Ours", "ann", "$N pokes $O."], TEXT)
    assert world.hear("Bob") == [
        "[tea] Zoe@Other MUD: 100%^ hot",
        "[tea] Zoe@Other MUD faints. Ann: I lie",
        "[tea] Zoe@Other MUD pokes Ann.",
    ]
    world.typed("Ann", "i3 chan tea we are always heard")
    assert len(world.other.take("channel-m")) == 1
    for _ in range(60):
        world.other.say("channel-m", "tea", "Zoe", "spam", user="zoe")
    assert 0 < len(world.other.take("channel-m")) <= 20


def test_a_filter_that_is_asked_for_what_it_is_not_for(world: World) -> None:
    """Another channel's line, a packet of another kind, no packet: nothing passes. A channel of others, or a question
    of a MUD: an error."""
    world.scene.me("Ann").keeper = True
    world.typed("Ann", "i3 channel add tea filtered")
    asked = len(world.port.sent)
    header = [5, "Other MUD", "zoe", 0, 0]
    for inner in (["channel-m", *header, "gossip", "Zoe", "x"], ["tell", *header, "Zoe", "x"], ["channel-m"], "[tell]"):
        world.intermud.received(packets.ChannelFilterRequest("*box", "", "Ours", "", "tea", inner))
    assert len(world.port.sent) == asked
    theirs = ["channel-m", *header, "gossip", "Zoe", "x"]
    world.intermud.received(packets.ChannelFilterRequest("*box", "", "Ours", "", "gossip", theirs))
    world.other.say("chan-filter-req", "tea", ["channel-m", *header, "tea", "Zoe", "x"], to="Ours")
    assert [one.code for one in world.port.sent[asked:] if isinstance(one, packets.Error)] == ["unk-channel"] * 2
    assert len(world.port.sent) == asked + 2


def test_who_is_ignored_is_not_heard(world: World) -> None:
    """Tells, emotes and channels of one person, or of a whole MUD: not by who ignores them, as ever by others. They are
    not told; and it ends when it is typed again."""
    for who in ("Ann", "Bob"):
        world.typed(who, "i3 listen gossip")

    def heard() -> list[str]:
        for name in ("ann", "bob"):
            world.other.say("tell", "Zoe", "psst", user="ZOE", to="Ours", to_user=name)
            world.other.say("emoteto", "Zoe", "$N winks.", user="zoe", to="Ours", to_user=name)
        world.other.say("channel-m", "gossip", "Zoe", "hey", user="zoe")
        world.other.say("channel-t", "gossip", "Ours", "ann", "$N pokes $O.", "$N pokes you.", "Zo", "Ann", user="zoe")
        world.other.say("channel-e", "gossip", "Yan", "$N yawns.", user="yan")
        assert len(world.hear("Bob")) == 5
        return world.hear("Ann")

    assert len(heard()) == 5
    assert world.typed("Ann", "i3 ignore zoe@Other MUD") == ["You hear zoe@Other MUD no more."]
    assert heard() == ["[gossip] Yan@Other MUD yawns."]
    assert world.typed("Ann", "i3 ignore other") == ["You hear other no more."]
    world.scene.clock.advance(60.0)
    assert heard() == []
    assert world.other.errors() == []
    assert world.typed("Ann", "i3 ignore") == ["You ignore other mud, zoe@other mud."]
    assert world.typed("Bob", "i3 ignore")[0].startswith("You ignore nobody.")
    world.typed("Ann", "i3 ignore other")
    world.typed("Ann", "i3 ignore zoe@other mud")
    assert world.typed("Ann", "i3 ignore")[0].startswith("You ignore nobody.")
    assert len(heard()) == 5


def test_a_history_without_who_is_ignored(world: World) -> None:
    """What they said before and since, over a restart too; others read it, and so does who hears them again."""
    for who in ("Ann", "Bob"):
        world.typed(who, "i3 listen gossip")
    world.other.say("channel-m", "gossip", "Zoe", "before", user="Zoe")
    world.typed("Ann", "i3 ignore zoe@other")
    world.other.say("channel-m", "gossip", "Innocent", "since", user="zoe")
    world.other.say("channel-e", "gossip", "Yan", "$N yawns.", user="yan")
    world.typed("Bob", "i3 chan gossip bye")
    rest = ["[gossip] Yan@Other MUD yawns.", "[gossip] Bob: bye"]
    whole = ["[gossip] Zoe@Other MUD: before", "[gossip] Innocent@Other MUD: since", *rest]
    for _ in range(2):
        assert world.typed("Ann", "i3 history gossip") == rest
        assert world.typed("Bob", "i3 history gossip") == whole
        kept = json.loads(json.dumps(world.intermud.kept()))
        world.scene.realm.intermud = world.intermud = Intermud(world.scene.realm, "Ours", world.port)
        world.intermud.remember(kept)
        world.intermud.up("*box")
        listed = {name: info.write() for name, info in world.exchange.muds.items()}
        world.port.learn(packets.MudList("*box", "", "Ours", "", 9, listed))
    world.typed("Bob", "i3 ignore other")
    assert world.typed("Bob", "i3 history gossip") == ["[gossip] Bob: bye"]
    world.typed("Ann", "i3 ignore zoe@other")
    assert world.typed("Ann", "i3 history gossip") == whole


def test_what_somebody_of_ours_said_is_forgotten(world: World) -> None:
    """What others said stays, though somebody elsewhere has the same name."""
    world.typed("Ann", "i3 listen gossip")
    world.typed("Bob", "i3 listen gossip")
    world.typed("Bob", "i3 chan gossip good day")
    world.typed("Ann", "i3 chan gossip well met")
    world.other.say("channel-m", "gossip", "Ann", "hello", user="ann")
    assert world.intermud.said_by("Ann") == {"gossip": ["[gossip] Ann: well met"]}
    world.intermud.kept()
    world.intermud.forget("Ann")
    assert world.intermud.changed
    assert world.intermud.said_by("Ann") == {}
    assert [words[1][0] for _, _, words in world.intermud.kept()["gossip"]] == ["Bob", "Ann@Other MUD"]


def test_a_mud_that_is_ignored_answers_what_nobody_asked(world: World) -> None:
    """Answers and errors are words too: they come to who does not ignore it alone."""
    world.typed("Ann", "i3 ignore other")
    world.hear("Bob")
    for name in ("ann", "bob"):
        world.other.say("who-reply", [["Zoe", 0, "buy my tea"]], to="Ours", to_user=name)
        world.other.say("error", "unk-user", "buy my tea", 0, to="Ours", to_user=name)
        world.other.say("locate-reply", "Other MUD", "buy my tea", 5, 0, to="Ours", to_user=name)
    assert world.hear("Ann") == []
    assert len(world.hear("Bob")) == 4


@pytest.mark.parametrize(
    "kept",
    [[[["Ann", "player"], [": hi", ""], ["", ""]]], [["", "", 5]], [["", 5, []]], [["", "", [["x", "pink"]]]], [[]]],
)
def test_what_is_no_history(world: World, kept: Any) -> None:
    """Nothing of it is remembered, and nothing is lost."""
    world.typed("Ann", "i3 listen gossip")
    world.typed("Ann", "i3 chan gossip hi")
    with pytest.raises((ValueError, TypeError, AttributeError)):
        world.intermud.remember({"gin": [], "gossip": kept})
    assert world.typed("Ann", "i3 history gossip") == ["[gossip] Ann: hi"]
    assert list(world.intermud.kept()) == ["gossip"]


def test_listening_goes_on_after_the_link_was_lost(world: World) -> None:
    world.typed("Ann", "i3 listen gossip")
    world.port.seat.hears.clear()
    world.intermud.down()
    assert world.typed("Ann", "i3 muds") == ["This world is not connected to other MUDs just now."]
    world.intermud.up("*box")
    assert world.port.seat.hears == {"gossip"}


def test_questions_of_ours(world: World) -> None:
    world.typed("Ann", "i3 who other")
    (asked,) = world.other.take("who-req")
    world.other.say("who-reply", [["Zoe", 600, "the first"], ["-=-", -1, ""], ["x"]], to=asked[2], to_user=asked[3])
    assert world.hear("Ann") == ["2 on Other MUD:", "Zoe, idle for 10 minutes, the first", "-=-"]
    world.typed("Ann", "i3 finger zoe@Other MUD")
    world.other.say("finger-reply", "Zoe", "the first", 0, 0, 0, -1, 0, 9, "likes tea", to="Ours", to_user="ann")
    assert world.hear("Ann") == ["Zoe@Other MUD, who is not there now.", "title: the first", "level: 9", "likes tea"]
    world.typed("Ann", "i3 locate zoe")
    assert world.other.take("locate-req")[0][6] == "zoe"
    world.other.say("locate-reply", "Other MUD", "Zoe", 5, "editing", to="Ours", to_user="ann")
    assert world.hear("Ann") == ["Zoe@Other MUD is there, idle for 5 seconds (editing)."]


def test_questions_of_theirs(world: World) -> None:
    """Never an address or an e-mail; a locate is answered only by who has them."""
    world.other.say("who-req", user="zoe", to="Ours")
    assert [row[0] for row in world.other.take("who-reply")[0][6]] == ["Ann", "Bob"]
    world.other.say("finger-req", "Ann", user="zoe", to="Ours")
    (card,) = world.other.take("finger-reply")
    assert (card[6], card[9], card[12], card[13]) == ("Ann", 0, 0, "1")
    world.other.say("finger-req", "nobody", user="zoe", to="Ours")
    assert world.other.errors() == ["unk-user"]
    world.other.say("locate-req", "bob", user="zoe")
    assert world.other.take("locate-reply")[0][6:8] == ["Ours", "Bob"]
    world.other.say("locate-req", "nobody", user="zoe")
    assert world.other.take() == []
    world.other.say("auth-mud-req", to="Ours")
    assert len(world.other.take("auth-mud-reply")) == 1
    world.other.say("flying-req", to="Ours")
    assert world.other.errors() == ["unk-type"]


def test_names(world: World) -> None:
    assert world.typed("Ann", "i3 tell zoe@nowhere: x") == [
        "There is no MUD called nowhere. To see which there are, type: i3 muds"
    ]
    assert world.typed("Ann", "i3 tell zoe") == [
        "Somebody elsewhere is written as name@mud, for example: i3 tell ann@Other MUD: hello"
    ]
    assert world.typed("Ann", "i3 muds")[1] == "Other MUD, Ours"
    assert world.typed("Ann", "i3 channels") == ["gossip of *box: off."]
    assert world.typed("Ann", "i3 listen nowhere")[0].startswith("There is no channel called nowhere")
    assert world.typed("Ann", "i3 dance")[0].startswith("Type i3 and one of: tell, reply")


def test_help_names_every_way(world: World) -> None:
    """And none that is not there."""
    (answer,) = world.typed("Ann", "i3 ?")
    ways = answer.removeprefix("Type i3 and one of: ").removesuffix(".").split(", ")
    told = [text.split()[2] for text in world.typed("Ann", "help i3") if text.startswith("Type: i3 ")]
    assert set(told) == set(ways)
    assert {"admit", "ban", "forgive", "list"} < set(" ".join(world.typed("Ann", "help i3")).split())


def test_an_error_is_shown_to_who_asked(world: World) -> None:
    """And to nobody else."""
    world.exchange.left(world.other.seat)
    heard = typed(world.scene, "Ann", "i3 tell zoe@Other MUD: x")
    assert heard == {"Ann": ["*box: Other MUD is not here.", 'You tell zoe@Other MUD, "x"']}


def test_a_mud_that_asks_without_end(world: World) -> None:
    """It must not make us flood the router."""
    for _ in range(200):
        world.other.say("who-req", user="zoe", to="Ours")
    assert len(world.other.take("who-reply")) <= 21


def test_not_on_the_network() -> None:
    scene = in_town()
    assert typed(scene, "Ann", "i3 muds") == {"Ann": ["This world is not connected to other MUDs."]}


VALUES = st.recursive(
    st.integers(-9, 9) | st.sampled_from(["Other MUD", "Ours", "ann", "gossip", "$N $O", "%^RED%^", "\x1b[2J", ""]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=8,
)


@given(st.lists(st.tuples(st.sampled_from(sorted(packets._TYPES)), st.lists(VALUES, max_size=14)), max_size=8))
def test_any_packets(sent: list[tuple[str, list[Any]]]) -> None:
    """Whatever comes from a router: nobody reads a control character, and the game goes on."""
    world = World()
    world.typed("Ann", "i3 listen gossip")
    for kind, rest in sent:
        for header in (["Other MUD", "zoe", "Ours", "ann"], ["Other MUD", "zoe", 0, 0], ["*box", 0, "Ours", 0]):
            try:
                packet = parse([kind, 5, *header, *rest])
            except BadPacket:
                continue
            world.intermud.received(packet)
    assert all(letter >= " " for text in world.hear("Ann") for letter in text)
    assert 'Bob says, "still here"' in typed(world.scene, "Bob", "say still here")["Ann"]


def test_muds_one_a_line_for_speech(world: World) -> None:
    assert world.typed("Ann", "i3 muds") == ["2 MUDs are up:", "Other MUD, Ours"]
    world.typed("Ann", "sr")
    assert world.typed("Ann", "i3 muds") == ["2 MUDs are up:", "Other MUD", "Ours"]
