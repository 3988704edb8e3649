"""The YAML reader: text until typed, every mistake with its place."""

from __future__ import annotations

from enum import Enum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mythos.config import nodes
from mythos.config.nodes import DocumentError, Fields, Kind, Node, Problems, parse


def read(text: str) -> tuple[Node, Problems]:
    problems = Problems()
    node = parse(text, "zone.yaml", problems)
    assert node is not None, [str(problem) for problem in problems]
    return node, problems


def mistakes(text: str) -> list[str]:
    problems = Problems()
    parse(text, "zone.yaml", problems)
    return [str(problem) for problem in problems]


def said(problems: Problems) -> list[str]:
    return [str(problem) for problem in problems]


class Weather(Enum):
    RAIN = "rain"
    FOG = "fog"


@pytest.mark.parametrize("word", ["no", "on", "010", "1:30", "null", "1_000", "0x1f", "1e3", "2001-01-01"])
def test_scalars_stay_text(word: str) -> None:
    """YAML 1.1 would make numbers, dates and truths of these."""
    node, problems = read(f"word: {word}\n")
    assert node.entries["word"].as_text(problems) == word
    assert not problems


def test_values_know_their_place() -> None:
    """Lines and columns count characters from one."""
    node, _ = read("rooms:\n  café: {title: Ünder, exits: [n, s]}\n")
    room = node.entries["rooms"].entries["café"]
    assert (room.entries["title"].line, room.entries["title"].column) == (2, 17)
    south = room.entries["exits"].items[1]
    assert (south.path, south.line, south.column) == ("zone.yaml", 2, 35)
    key = node.entries["rooms"].keys["café"]
    assert (key.line, key.column) == (2, 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", "zone.yaml:3:1: error: the key 'a' is already given at line 1"),
        ("a: !!int 1\n", "zone.yaml:1:4: error: tags are not used here: tag:yaml.org,2002:int"),
        ("a: ! x\n", "zone.yaml:1:4: error: tags are not used here: !"),
        ("? [a]\n: 1\n", "zone.yaml:1:3: error: a key must be text, not a list"),
        ("a: 1\n---\nb: 2\n", "zone.yaml:2:1: error: a second document in one file"),
        ("a: *b\n", "zone.yaml:1:4: error: nothing before this is anchored as &b"),
        ("a: &a [*a]\n", "zone.yaml:1:8: error: *a stands inside of what it repeats"),
        ("a:\n\tb: 1\n", "zone.yaml:2:1: error: a tab cannot indent YAML; use spaces"),
        ("a: x\x07\n", "zone.yaml:1:5: error: the character U+0007 is not allowed here"),
        ("a: \ud800\n", "zone.yaml:1:4: error: the character U+D800 is not allowed here"),
        ("b: {<<: [3]}\n", "zone.yaml:1:10: error: '<<' takes a mapping, not text"),
        ("[" * 60, "zone.yaml:1:41: error: more than 40 levels deep"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_place(text: str, expected: str) -> None:
    assert mistakes(text) == [expected]


def test_broken_syntax_names_where_it_began() -> None:
    (found,) = mistakes("exits: [north\ntitle: x\n")
    assert found.startswith("zone.yaml:2:6: error: ")
    assert "begins at line 1" in found


def test_structure_is_checked_to_the_end() -> None:
    """A key given twice does not hide what follows."""
    assert len(mistakes("a: 1\na: 2\nb: !x 3\nc: 1\nc: 2\n")) == 3


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "~\n"])
def test_nothing_is_no_mistake(text: str) -> None:
    problems = Problems()
    assert parse(text, "f", problems) is None
    assert not problems


def test_merge_keys() -> None:
    """The mapping's own keys win, then the earlier source; merged values keep the place they were written at."""
    node, problems = read("base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\nroom:\n  <<: [*b, *m]\n  x: 9\n")
    room = node.entries["room"].as_mapping(problems)
    assert {name: value.text for name, value in room.items()} == {"x": "9", "y": "2", "z": "4"}
    assert room["z"].line == 2
    assert not problems


def test_a_quoted_merge_key_is_a_key() -> None:
    node, problems = read("'<<': text\n")
    assert node.entries["<<"].text == "text"
    assert not problems


def test_alias_bombs_are_refused() -> None:
    """Nine lines that would be a billion values stop at the limit."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (found,) = mistakes("\n".join(lines))
    assert found.endswith(f"more than {nodes.MAX_NODES} values in one file")


def test_large_files_are_refused_unread() -> None:
    assert mistakes("#" * (nodes.MAX_SIZE + 1)) == [
        f"zone.yaml:1:1: error: the file has more than {nodes.MAX_SIZE} characters"
    ]


@settings(deadline=None)
@given(st.text() | st.text(alphabet="ab01:-?[]{},&*!|>'\"%@#~<. \n\t\r\\=é\u2028", max_size=40))
def test_any_text(text: str) -> None:
    """Whatever is in a file, problems come out, never an exception; and no tree without a reason."""
    problems = Problems()
    node = parse(text, "f", problems)
    assert node is None or node.kind in Kind
    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)


_KEYS = st.text("abé", min_size=1, max_size=3)
_NESTED = st.recursive(
    st.text(alphabet="abc no019:'\"{#é\n", max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(_NESTED)
def test_what_is_written_comes_back(value: object) -> None:
    """Lists, mappings and text survive the way through YAML's flow style."""
    node, problems = read(f"it: {_flow(value)}\n")
    assert _plain(node.entries["it"]) == value
    assert not problems


def _flow(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_flow(key)}: {_flow(part)}' for key, part in value.items())}}}"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _plain(node: Node) -> object:
    if node.kind is Kind.LIST:
        return [_plain(item) for item in node.items]
    if node.kind is Kind.MAPPING:
        return {name: _plain(value) for name, value in node.entries.items()}
    return node.text


def test_fields_read_types() -> None:
    node, problems = read(
        "title: The Quay\nlevel: 010\nweight: 1.5\ndelay: 5m\ndark: no\nweather: fog\nside: left\n"
        "words: [a, b]\nexits: {north: hall}\nshop: {open: yes}\nempty:\n"
    )
    fields = Fields(node, problems)
    assert fields.text("title", required=True) == "The Quay"
    assert fields.int("level", low=1, high=20) == 10
    assert fields.number("weight") == 1.5
    assert fields.seconds("delay") == 300.0
    assert fields.bool("dark", True) is False
    assert fields.enum("weather", Weather, Weather.RAIN) is Weather.FOG
    assert fields.choice("side", ["left", "right"]) == "left"
    assert fields.list_of_text("words") == ("a", "b")
    assert [(key.text, value.text) for key, value in fields.mapping("exits")] == [("north", "hall")]
    shop = fields.fields("shop")
    assert shop is not None and shop.bool("open")
    shop.done()
    assert fields.text("empty", "default") == "default"
    assert fields.int("missing", 7) == 7
    assert not fields.has("nothing")
    fields.done()
    assert not said(problems)


def test_fields_report_everything() -> None:
    """One reading names every wrong value, what is missing and what is unknown, in the order of the file."""
    node, problems = read(
        "titel: x\nlevel: many\nhigh: 99\ndark: perhaps\nweather: snow\nwords: a\nexits: [n]\nname:\n"
    )
    fields = Fields(node, problems)
    assert fields.text("title", "?", required=True) == "?"
    assert fields.text("name", required=True) == ""
    assert fields.int("level", 3) == 3
    assert fields.int("high", high=20) == 0
    assert fields.bool("dark") is False
    assert fields.enum("weather", Weather, Weather.RAIN) is Weather.RAIN
    assert fields.list_of_text("words") == ()
    assert fields.mapping("exits") == []
    fields.done()
    assert said(problems) == [
        "zone.yaml:1:1: error: missing 'title'",
        "zone.yaml:1:1: error: unknown key 'titel'; did you mean 'title'?",
        "zone.yaml:2:8: error: expected a whole number, not 'many'",
        "zone.yaml:3:7: error: expected at most 20, not 99",
        "zone.yaml:4:7: error: expected yes or no, not 'perhaps'",
        "zone.yaml:5:10: error: expected one of rain, fog, not 'snow'",
        "zone.yaml:6:8: error: expected a list, not text",
        "zone.yaml:7:8: error: expected a mapping, not a list",
        "zone.yaml:8:6: error: 'name' is empty",
    ]


def test_check_raises_all_at_once() -> None:
    problems = Problems()
    problems.check()
    parse("a: 1\na: 2\na: 3\n", "f", problems)
    with pytest.raises(DocumentError) as caught:
        problems.check()
    assert [problem.line for problem in caught.value.problems] == [2, 3]
    assert str(caught.value).count("\n") == 1


def test_a_shared_value_is_reported_once() -> None:
    """An anchor used in two rooms is one mistake, at the place where it is written."""
    node, problems = read("a: &x many\nb: *x\n")
    for value in node.entries.values():
        value.as_int(problems)
    assert said(problems) == ["zone.yaml:1:4: error: expected a whole number, not 'many'"]
