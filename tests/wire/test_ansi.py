"""Lines as terminals show them."""

from __future__ import annotations

import re

import pytest
import wcwidth
from hypothesis import given
from hypothesis import strategies as st

from mythos.wire.ansi import Colours, Links, Style, cells, prompt, render, style
from mythos.wire.charset import Charset
from mythos.wire.message import Line, Role, Span, line
from tests.strategies import lines

SAYS = line("say", Span("Ann", Role.PLAYER), ' says, "hello"')
SGR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize(
    ("shown", "colours"),
    [
        (b'Ann says, "hello"\r\n', Colours.NONE),
        (b'\x1b[94mAnn\x1b[0m says, "hello"\r\n', Colours.ANSI),
        (b'\x1b[38;5;111mAnn\x1b[0m says, "hello"\r\n', Colours.XTERM),
        (b'\x1b[38;2;135;175;255mAnn\x1b[0m says, "hello"\r\n', Colours.TRUE),
    ],
)
def test_colours(shown: bytes, colours: Colours) -> None:
    """A role is a colour of the terminal's depth, closed where it ends."""
    assert render(SAYS, style(colours)) == shown


@pytest.mark.parametrize("role", Role)
def test_every_role_has_a_colour(role: Role) -> None:
    """256 and 24 bit name the same colour: index n of the xterm cube or its greys is r;g;b."""
    shown = render(line("x", Span("x", role)), style(Colours.TRUE)).decode()
    index = int(re.findall(r"38;5;(\d+)m", render(line("x", Span("x", role)), style(Colours.XTERM)).decode())[0])
    assert shown == "\x1b[38;2;{};{};{}mx\x1b[0m\r\n".format(*rgb(index))
    assert re.fullmatch(rb"\x1b\[[39][0-7]mx\x1b\[0m\r\n", render(line("x", Span("x", role)), style(Colours.ANSI)))


XTERM = (0, 95, 135, 175, 215, 255)


def rgb(index: int) -> tuple[int, ...]:
    """What index n of the xterm cube or its greys is."""
    if index >= 232:
        return (8 + 10 * (index - 232),) * 3
    return XTERM[(index - 16) // 36], XTERM[(index - 16) // 6 % 6], XTERM[(index - 16) % 6]


def luminance(colour: tuple[int, ...]) -> float:
    """WCAG 2.2, relative luminance."""
    red, green, blue = [one / 255 / 12.92 if one <= 10 else ((one / 255 + 0.055) / 1.055) ** 2.4 for one in colour]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    "ground", [Role.BLACK, Role.RED, Role.GREEN, Role.YELLOW, Role.BLUE, Role.MAGENTA, Role.CYAN, Role.WHITE]
)
def test_words_with_a_colour_behind_them(ground: Role) -> None:
    """They can be read, whatever colour they came with; 256 and 24 bit name the same colours."""
    words = line("x", Span("a"), Span("x", Role.BRIGHT_RED, "", ground))
    assert render(words, style()) == b"ax\r\n"
    assert re.fullmatch(rb"a\x1b\[(30|97);4[0-7]mx\x1b\[0m\r\n", render(words, style(Colours.ANSI)))
    found = re.fullmatch(r"a\x1b\[38;5;(\d+);48;5;(\d+)mx\x1b\[0m\r\n", render(words, style(Colours.XTERM)).decode())
    assert found is not None
    front, back = [rgb(int(one)) for one in found.groups()]
    exact = "38;2;{};{};{};48;2;{};{};{}".format(*front, *back)
    assert render(words, style(Colours.TRUE)).decode() == f"a\x1b[{exact}mx\x1b[0m\r\n"
    dark, light = sorted([luminance(front), luminance(back)])
    assert (light + 0.05) / (dark + 0.05) >= 4.5
    snowy = line("x", Span("x\u2603", Role.RED, "", ground))
    assert render(snowy, style(Colours.ANSI, width=80)).decode().endswith("mx\u2603\x1b[0m\r\n")
    assert b";4" in render(snowy, style(Colours.ANSI, width=80))
    assert render(words, style(Colours.TRUE, screen_reader=True)) == b"ax\r\n"


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        ("the quick brown fox", 10, ["the quick", "brown fox"]),
        ("the quick brown fox", 9, ["the quick", "brown fox"]),
        ("the  quick   brown fox", 10, ["the  quick", "brown fox"]),
        ("  indented words here", 12, ["  indented", "words here"]),
        ("abcdefghijkl", 5, ["abcde", "fghij", "kl"]),
        ("a bcdefghijkl m", 5, ["a bcd", "efghi", "jkl m"]),
        ("ab abcdefgh", 2, ["ab", "ab", "cd", "ef", "gh"]),
        ("日本語日本語", 5, ["日本", "語日", "本語"]),
        ("日本 語日 本語", 5, ["日本", "語日", "本語"]),
        ("cafe\u0301 au lait", 7, ["cafe\u0301 au", "lait"]),
        ("👩\u200d🚀👩\u200d🚀👩\u200d🚀", 4, ["👩\u200d🚀👩\u200d🚀", "👩\u200d🚀"]),
        ("a\u00a0b c", 3, ["a\u00a0b", "c"]),
        ("trailing   ", 8, ["trailing"]),
        ("a light\u00adhouse keeper", 8, ["a light-", "house", "keeper"]),
        ("a light\u00adhouse keeper", 14, ["a lighthouse", "keeper"]),
        ("light\u00adhouse\u00adkeep\u00ader", 11, ["lighthouse-", "keeper"]),
        ("go light\u00adhouse", 6, ["go", "light-", "house"]),
        ("日\u00ad本語", 4, ["日-", "本語"]),
        ("all in one\u00ad", 10, ["all in one"]),
        ("abcdefgh\u00adij", 5, ["abcde", "fghij"]),
        ("see https://example.org/a-long-way?to=it now", 20, ["see", "https://example.org/a-long-way?to=it", "now"]),
        ("(https://example.org/1234567890)", 20, ["(https://example.org/1234567890)"]),
        ("", 10, [""]),
    ],
)
def test_wrap(text: str, width: int, rows: list[str]) -> None:
    """At spaces and soft hyphens, by display width; a word wider than a row is cut between graphemes, a link is not."""
    shown = render(line("x", text), style(width=width)).decode()
    assert shown == "".join([row + "\r\n" for row in rows])


def test_colour_is_closed_at_a_line_end_and_opened_again() -> None:
    """A line end inside a coloured run: reset before, colour after; and no cut between two runs of one word."""
    words = line("x", "see ", Span("the brass lamp", Role.ITEM), ", lit")
    assert render(words, style(Colours.ANSI, width=10)) == (
        b"see \x1b[96mthe\x1b[0m\r\n\x1b[96mbrass\x1b[0m\r\n\x1b[96mlamp\x1b[0m, lit\r\n"
    )


def test_charsets() -> None:
    """Spelt in what the client has; 255 is doubled; the width counts what is shown."""
    words = line("x", "ÿ “é” … 日")
    assert render(words, style(charset=Charset.LATIN1)) == b'\xff\xff "\xe9" ... ?\r\n'
    assert render(words, style(charset=Charset.ASCII)) == b'y "e" ... ?\r\n'
    assert render(words, style(charset=Charset.UTF8)) == "ÿ “é” … 日\r\n".encode()
    assert render(line("x", "a … b"), style(charset=Charset.ASCII, width=5)) == b"a ...\r\nb\r\n"


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("== Harbour ========== ┌──┐ wait...", b"== Harbour wait...\r\n"),
        ("   set    out   ", b"set out\r\n"),
        ("~*~*~ Ann ~*~*~", b"Ann\r\n"),
        ("what---ever?!?", b"what ever?!?\r\n"),
        ("see https://example.org/a---b/~~~ now", b"see https://example.org/a---b/~~~ now\r\n"),
        ("╔════╗", b""),
        ("/\\/\\/\\ ----", b""),
        ("", b""),
    ],
)
def test_screen_reader(text: str, spoken: bytes) -> None:
    """Words only: no colours, no boxes, no ornament but in links; and no line that says nothing."""
    words = line("x", Span(text[:3], Role.TITLE), text[3:])
    assert render(words, style(Colours.TRUE, screen_reader=True)) == spoken


def test_no_control_leaves() -> None:
    """Whatever got into a line: no escape, no line end, no C1."""
    assert render(line("x", "a\x1b[31mb\nc\x9bd\u2028e"), style()) == b"a[31mb c d e\r\n"


def test_shared_bytes() -> None:
    """One look-up for the third who hears it, and for all others; lines that fit share the bytes of all widths."""
    words = line("x", "short")
    render(words, style(width=80))
    assert not words.rendered  # it stays in one log
    assert render(words, style(width=80)) is render(words, style(width=80))
    assert render(words, style(width=100)) is render(words, style(width=40))
    assert words.rendered[style(width=80)] == b"short\r\n"


def test_styles_are_interned() -> None:
    """However it is asked for, the same style is the same object."""
    assert style(Colours.ANSI, Charset.UTF8, 80, False) is style(Colours.ANSI, width=80)
    assert style(Colours.ANSI, width=80).flat is style(Colours.ANSI)
    assert style(Colours.ANSI) is not style(Colours.XTERM)


def test_prompt() -> None:
    """No line end: EOR or GA follows."""
    assert prompt(line("prompt", "HP 10> "), style()) == b"HP 10> "


STYLES = st.builds(
    style, st.sampled_from(Colours), st.sampled_from(Charset), st.sampled_from([0, 2, 5, 20, 80]), st.booleans()
)


@given(lines, STYLES)
def test_any_line(words: Line, how: Style) -> None:
    """Every row ends in CR LF, fits the width and leaves no colour open; nothing but spaces is lost."""
    shown = render(words, how)
    text = shown.replace(b"\xff\xff", b"\xff").decode(how.charset.value)
    assert text.endswith("\r\n") or (how.screen_reader and not shown)
    for row in text[:-2].split("\r\n"):
        assert "\r" not in row and "\n" not in row
        codes = SGR.findall(row)
        assert codes[1::2] == ["\x1b[0m"] * (len(codes) // 2) and len(codes) % 2 == 0
        bare = SGR.sub("", row)
        if how.width:
            assert cells(bare) <= how.width or len(list(wcwidth.iter_graphemes(bare))) == 1 or "://" in bare
    flat = SGR.sub("", render(words, how.flat).replace(b"\xff\xff", b"\xff").decode(how.charset.value))
    if "\u00ad" not in words.text:
        assert SGR.sub("", text).replace("\r\n", "").replace(" ", "") == flat.replace("\r\n", "").replace(" ", "")


@given(st.lists(st.text("ab日e\u0301 \u00ad"), max_size=4), st.integers(2, 12), st.sampled_from(Charset))
def test_soft_hyphens(parts: list[str], width: int, charset: Charset) -> None:
    """A word is cut there with a hyphen or not at all: nothing else is added, and nothing is lost."""
    words = line("x", *[Span(part, Role.ITEM) for part in parts])
    shown = SGR.sub("", render(words, style(Colours.ANSI, charset, width)).decode(charset.value))
    assert all(cells(row) <= width for row in shown.split("\r\n"))
    flat = SGR.sub("", render(words, style(Colours.ANSI, charset)).decode(charset.value))
    assert "\u00ad" not in shown + flat and "-" not in flat
    assert shown.replace("-\r\n", "").replace("\r\n", "").replace(" ", "") == flat[:-2].replace(" ", "")


@given(
    st.lists(st.sampled_from(["https://example.org/a/b?c=d", "a", "日本語", "wörter"]), min_size=1), st.integers(20, 40)
)
def test_links_are_whole(words: list[str], width: int) -> None:
    """In rows as wide as they like to be."""
    rows = render(line("x", " ".join(words)), style(width=width)).decode().split("\r\n")
    assert [word for row in rows for word in row.split()] == words
    assert all(cells(row) <= width or len(row.split()) == 1 for row in rows)


@pytest.mark.parametrize(
    ("links", "shown"),
    [
        (Links.NONE, b"Exits: north.\r\n"),
        (Links.OSC8, b"Exits: \x1b]8;;send:go%20north\x1b\\north\x1b]8;;\x1b\\.\r\n"),
        (Links.MXP, b'Exits: \x1b[4z<SEND HREF="go north">north\x1b[4z</SEND>.\r\n'),
    ],
)
def test_links(links: Links, shown: bytes) -> None:
    """Words that can be clicked, closed where they end."""
    exits = line("room", "Exits: ", Span("north", None, "go north"), ".")
    assert render(exits, style(links=links)) == shown


def test_links_have_no_width() -> None:
    """A link that is cut at a row's end goes on in the next; colours are inside it."""
    words = line("room", Span("one two", Role.EXIT, "go"))
    shown = render(words, style(Colours.ANSI, width=20, links=Links.OSC8)).decode()
    assert shown == "\x1b]8;;send:go\x1b\\\x1b[92mone two\x1b[0m\x1b]8;;\x1b\\\r\n"
    rows = render(line("room", Span("one " * 8, None, "go")), style(width=20, links=Links.MXP)).decode().split("\r\n")
    assert [row.count("<SEND") for row in rows] == [row.count("</SEND>") for row in rows] == [1, 1, 0]


@pytest.mark.parametrize(
    "command", ['a"b', "a<b", "a;b", "a|b", "a&b", "A", "\x1b", "go\n", "1", " go", "é", "x" * 81, "go\x1b[1z"]
)
@pytest.mark.parametrize("links", list(Links))
def test_a_command_with_signs_is_no_link(command: str, links: Links) -> None:
    assert render(line("room", Span("x", None, command)), style(links=links)) == b"x\r\n"


def test_a_screen_reader_has_no_links() -> None:
    assert style(links=Links.OSC8, screen_reader=True) is style(screen_reader=True)
