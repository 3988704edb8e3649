"""Pages of words before any login: what they say is true, safe, small, and of use to whoever cannot see them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import quote, unquote, urlsplit

import pytest

from mythos.app.places import read_world
from mythos.ids import RoomId, ZoneId
from mythos.net.pages import TelnetPorts
from mythos.net.proxies import Proxies
from mythos.play.verbs import Rank
from mythos.world.zones import Atlas, Exit, Room, Zone
from tests.net.web import Answer, Web

#: Bytes of a page.
MOST = 20_000
#: Pages that every page leads to, beside the front page.
WAYS = 4


@pytest.fixture
def web() -> Web:
    return Web()


class Read(HTMLParser):
    """A page as a program reads it.

    :ivar words: all that a reader sees, a line for each block; :ivar elements: (name, attributes), in order
    """

    def __init__(self, page: Answer) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(page.body.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert all(value for _, value in attrs)
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag not in ("a", "b", "small", "code"):
            self.text.append("\n")

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def title(self) -> str:
        return "".join(self.text).strip().split("\n")[0]

    @property
    def words(self) -> str:
        lines = "".join(self.text).split("\n")
        return "\n".join([line.strip() for line in lines if line.strip()])

    def all(self, name: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag == name]

    def meta(self, name: str) -> str:
        return next((one["content"] for one in self.all("meta") if one.get("name") == name), "")

    @property
    def links(self) -> list[str]:
        return [one["href"] for one in self.all("a")]


def read(web: Web, path: str) -> Read:
    page = web.ask("GET", path)
    assert page.status == 200, path
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    return Read(page)


# ── the front page ──────────────────────────────────────────────────────────────────────────────


def test_the_front_page(web: Web) -> None:
    """What world it is, how many play at this moment, and the ways in."""
    web.scene.world.atlas = replace(web.scene.world.atlas, title="Saltreach", greeting="A town of fog.\nIt waits.")
    page = read(web, "/")
    assert "Saltreach\nA town of fog.\nIt waits.\nPlay in the browser" in page.words
    assert "2 people play now." in page.words
    assert {"class": "play", "href": "/play"} in page.all("a")
    assert {"/who", "/api/openapi.json"} <= set(page.links)
    assert "A town of fog." in page.meta("description")
    web.scene.arrive("Cid")
    assert "3 people play now." in read(web, "/").words


@pytest.mark.parametrize(
    ("host", "name", "link"),
    [
        ("mud.example.org", "mud.example.org", "telnet://mud.example.org:4000"),
        ("localhost:8000", "localhost", "telnet://localhost:4000"),
        ("[::1]:8000", "::1", "telnet://[::1]:4000"),
        ('"><b>x', "localhost", "telnet://localhost:4000"),
    ],
)
def test_telnet_by_the_name_of_the_request(web: Web, host: str, name: str, link: str) -> None:
    """The host is the one the reader knows us by; what is no host is not repeated."""
    answer = web.raw(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    page = Read(Answer(200, {}, answer.partition(b"\r\n\r\n")[2]))
    assert f"Host\n{name}\nPort\n4000\n" in page.words
    assert f"telnet {name} 4000" in page.words
    assert link in page.links


def test_telnet_with_tls_and_without_any(web: Web) -> None:
    web.telnet = TelnetPorts(tls=4443)
    words = read(web, "/").words
    assert "Port with TLS\n4443" in words
    assert "4000" not in words
    web.telnet = TelnetPorts()
    assert "telnet client" not in read(web, "/").words


# ── who plays ───────────────────────────────────────────────────────────────────────────────────


def test_who_plays(web: Web) -> None:
    """Names, titles and who is idle, as in the game; guests are counted."""
    web.scene.me("Ann").title = "the <b>Brave</b>"
    web.scene.arrive("Tess", guest=True)
    web.scene.arrive("Ule", guest=True)
    web.scene.arrive("Kay", keeper=True)
    web.scene.clock.advance(420.0)
    web.scene.type("Bob", "say I am here")
    page = read(web, "/who")
    assert "5 people play now." in page.words
    assert "Ann the <b>Brave</b> (idle 7 minutes)\nBob\nKay (keeper, idle 7 minutes)\nand 2 guests" in page.words
    assert "Tess" not in page.words


def test_who_plays_is_what_players_see(web: Web) -> None:
    """Line by line what ``who`` answers, but for the guests."""
    web.scene.me("Ann").title = "the Brave"
    web.scene.ears["Bob"].session.connections.clear()
    web.scene.hear("Ann")
    web.scene.type("Ann", "who")
    heard = [line for line in web.scene.hear("Ann") if line.startswith(("Ann", "Bob"))]
    assert heard == ["Ann the Brave", "Bob (link-dead)"]
    assert "\n".join(heard) in read(web, "/who").words


def test_nobody_plays(web: Web) -> None:
    for name in ("Ann", "Bob"):
        web.scene.type(name, "quit")
    assert "Nobody plays just now." in read(web, "/").words
    assert "Nobody plays just now.\nCome in." in read(web, "/who").words


def test_a_crowd_is_cut(web: Web) -> None:
    """The page stays small whoever plays."""
    for number in range(200):
        web.scene.arrive(
            f"P{chr(97 + number // 26)}{chr(97 + number % 26)}"
        ).title = "the bearer of a long and honourable title"
    page = web.ask("GET", "/who")
    assert "and 142 more" in Read(page).words
    assert len(page.body) < MOST


# ── help ────────────────────────────────────────────────────────────────────────────────────────

HELP = {
    "start": "Getting started\n\nType look. To walk, type north; else type xyzzy.\nThen type register and a name.",
    "light": "Light & dark\n\nCellars are <dark>: type look.",
    "lamps": "Light & dark\n\nCellars are <dark>: type look.",
}


@pytest.fixture
def helpful(web: Web) -> Web:
    web.scene.world.atlas = replace(web.scene.world.atlas, help=HELP)
    return web


def test_help_has_what_a_newcomer_may_see(helpful: Web) -> None:
    """Every command and topic of a guest, each once; no other command, neither listed nor under its own address."""
    page = read(helpful, "/help")
    allowed = helpful.scene.realm.verbs.allowed(Rank.GUEST)
    for verb in allowed:
        assert f"{verb.name}: {verb.help}\n" in page.words
        assert page.links.count(f"/help/{quote(verb.name, safe='')}") >= 1
    closed = [verb for verb in helpful.scene.realm.verbs.verbs if verb.rank > Rank.GUEST]
    assert closed
    for verb in closed:
        assert f"{verb.name}: " not in page.words
        assert helpful.ask("GET", f"/help/{quote(verb.name)}").status == 404
    assert page.words.endswith("Topics\nLight & dark")
    assert "Commands\nLooking\n" in page.words


def test_help_begins_with_the_beginning(helpful: Web) -> None:
    """The first topic stands at the top, and leads to the commands that it says to type."""
    page = read(helpful, "/help")
    assert "Help\nGetting started\nType look. To walk, type north; else type xyzzy.\n" in page.words
    assert page.links[2 + WAYS : 4 + WAYS] == ["/help/look", "/help/register"]


def test_help_on_a_command(helpful: Web) -> None:
    """As in the game: what it does, how to type it, its other names, and where to read on."""
    page = read(helpful, "/help/look")
    verb = helpful.scene.realm.verbs.exact("look")
    assert verb is not None
    assert page.title == "Help: look · Town"
    assert verb.help in page.words
    assert all(way in page.words.splitlines() for way in verb.syntax)
    assert f"For short: {', '.join(verb.aliases)}." in page.words
    assert {f"/help/{name}" for name in verb.see} <= set(page.links)
    assert {"/help/start", "/help/light"} <= set(page.links)
    assert verb.help in page.meta("description")


@pytest.mark.parametrize("path", ["/help/l", "/help/LOOK", "/help/look/"])
def test_help_by_another_name(helpful: Web, path: str) -> None:
    """Other names lead to the same page, of which search engines keep one."""
    assert helpful.ask("GET", path).body == helpful.ask("GET", "/help/look").body


def test_help_on_a_topic(helpful: Web) -> None:
    """By any of its words; what it says is text, whatever signs stand in it."""
    page = read(helpful, "/help/lamps")
    assert "Help: Light & dark\nCellars are <dark>: type look.\n" in page.words
    assert {"rel": "canonical", "href": "/help/light"} in page.all("link")


def test_help_on_signs(helpful: Web) -> None:
    """Names of signs can be asked for too."""
    assert "Help: say" in read(helpful, "/help/%27").words
    assert "Help: help" in read(helpful, "/help/%3F").words


@pytest.mark.parametrize(
    ("path", "said", "meant"),
    [
        ("/help/lok", "There is no help on lok. Did you mean:", "/help/look"),
        ("/help/lig", "There is no help on lig. Did you mean:", "/help/light"),
        ("/help/qqqq", "There is no help on qqqq.\n", "/help"),
        ("/help/%3Cb%3Eq", "There is no help on <b>q.\n", "/help"),
        ("/help/" + "q" * 9000, "There is no help on qqqq", "/help"),
        ("/help/%FF%00", "There is no help on", "/help"),
    ],
)
def test_no_such_help(helpful: Web, path: str, said: str, meant: str) -> None:
    """What is not there is said, with what may have been meant, and not kept by search engines."""
    answer = helpful.ask("GET", path)
    page = Read(answer)
    assert answer.status == 404
    assert answer.headers["cache-control"] == "no-store"
    assert said in page.words
    assert meant in page.links[2 + WAYS :]
    assert page.meta("robots") == "noindex"
    assert len(answer.body) < 2000


def test_help_of_a_new_world(helpful: Web) -> None:
    """What is loaded again is served from then on."""
    old = helpful.ask("GET", "/help/light")
    changed = {**HELP, "light": "Light\n\nThere is none."}
    helpful.scene.world.atlas = replace(helpful.scene.world.atlas, help=changed)
    again = helpful.ask("GET", "/help/light", If_None_Match=old.headers["etag"])
    assert again.status == 200
    assert "There is none." in Read(again).words


# ── the map ─────────────────────────────────────────────────────────────────────────────────────


def large(zones: int, rooms: int) -> Atlas:
    """A world of zones in a row, each of rooms in a row."""
    made = {}
    for zone in range(zones):
        for number in range(rooms):
            here = zone * rooms + number
            ways = {"east": here + 1, "west": here - 1}
            exits = {to: Exit(to, _id(at, rooms)) for to, at in ways.items() if 0 <= at < zones * rooms}
            room = Room(
                _id(here, rooms), ZoneId(f"zone-{zone}"), f"A long and winding road, number {here}", "", exits, {}
            )
            made[room.id] = replace(room, place=here + 1)
    known = {ZoneId(f"zone-{zone}"): Zone(ZoneId(f"zone-{zone}"), f"Zone {zone}", _id(0, 1)) for zone in range(zones)}
    return Atlas("Large", _id(0, rooms), _id(0, rooms), known, made, {}, {})


def _id(number: int, rooms: int) -> RoomId:
    return RoomId(f"zone-{number // rooms}:room-{number}")


def test_the_map_in_words(web: Web) -> None:
    """Each zone and its rooms, with the ways between them by name."""
    page = read(web, "/map")
    assert "Town\nSquare\nNewcomers start here. North to Yard; east to Inn.\n" in page.words
    assert "Yard\nSouth to Square; north to Den, through the iron gate.\n" in page.words
    assert "#t:yard" in [unquote(one) for one in page.links]
    assert {"id": "t:yard"} in page.all("h3")
    assert "/world/map.xml" in page.links


def test_the_map_keeps_secrets(web: Web) -> None:
    """Neither a hidden way stands on it nor a room that only such a way leads to, nor what only they name."""
    web.scene.world.atlas = read_world(None)
    words = read(web, "/map").words
    assert "The Owlers' Passage" in web.scene.world.atlas.rooms[RoomId("saltreach:passage")].title
    assert "Owlers" not in words
    assert "Lamp Street" in words
    found = web.ask("GET", "/world/map.xml").body.decode()
    assert "Owlers" not in found
    assert str(web.scene.world.atlas.rooms[RoomId("saltreach:passage")].place) not in found


def test_a_zone_by_itself(web: Web) -> None:
    page = read(web, "/map/t")
    assert page.title == "Map: Town · Town"
    assert "4 rooms" in page.words
    assert {"id": "t:yard"} in page.all("h2")


@pytest.mark.parametrize(
    "path", ["/map/nowhere", "/map/t?part=2", "/map?part=2", "/map/t?part=x", "/map/t?part=-1", "/map/"]
)
def test_not_on_the_map(web: Web, path: str) -> None:
    answer = web.ask("GET", path)
    if path == "/map/":
        assert answer.body == web.ask("GET", "/map").body
        return
    assert answer.status == 404
    assert "There is no such place on the map." in Read(answer).words


def test_a_large_world_is_cut(web: Web) -> None:
    """Zones lead to their rooms, parts to the next; no page is large, no room is left out."""
    web.scene.world.atlas = large(70, 90)
    seen, links = set(), set()
    paths = ["/map"]
    for path in paths:
        answer = web.ask("GET", path)
        page = Read(answer)
        assert len(answer.body) < MOST, path
        links |= {one if one[0] != "#" else path + one for one in map(unquote, page.links) if "#" in one}
        seen |= {f"{path}#{one['id']}" for one in page.all("h2") if "id" in one}
        paths += [
            one
            for one in dict.fromkeys(page.links[2 + WAYS :])
            if one.startswith("/map") and "#" not in one and one not in paths
        ]
    assert len(seen) == 70 * 90
    assert links - {"/play#page"} == seen | {f"{path}#page" for path in paths}
    assert "/map/zone-69" in pages(web)
    assert len(paths) == 2 + 70 * 3


def test_the_map_for_clients(web: Web) -> None:
    """MMP: rooms by the number that Room.Info gives them, in areas, on a grid, with exits that lead to rooms."""
    web.scene.world.atlas = atlas = read_world(None)
    answer = web.ask("GET", "/world/map.xml")
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    root = ET.fromstring(answer.body)
    assert [part.tag for part in root] == ["areas", "rooms", "environments"]
    areas = {one.attrib["id"]: one.attrib["name"] for one in root.iter("area")}
    terrains = {one.attrib["id"]: one.attrib["name"] for one in root.iter("environment")}
    assert set(areas.values()) == {zone.title for zone in atlas.zones.values()}
    by_number = {str(room.place): room for room in atlas.rooms.values()}
    found = {one.attrib["id"]: one for one in root.iter("room")}
    assert found
    for number, one in found.items():
        room = by_number[number]
        assert one.attrib["title"] == room.title
        assert areas[one.attrib["area"]] == atlas.zones[room.zone].title
        assert terrains[one.attrib["environment"]] == room.terrain
        (grid,) = one.findall("coord")
        assert (grid.attrib["x"], grid.attrib["y"], grid.attrib["z"]) == tuple(map(str, room.coords))
        for way in one.findall("exit"):
            declared = room.exits[way.attrib["direction"]]
            assert by_number[way.attrib["target"]].id == declared.to
            assert way.attrib["target"] in found
            assert not declared.hidden
            assert ("door" in way.attrib) == (declared.door is not None)


def test_names_of_rooms_are_only_words(web: Web) -> None:
    """What builders write cannot break the page or the XML."""
    atlas = web.scene.world.atlas
    yard = replace(atlas.rooms[RoomId("t:yard")], title='<i>Y</i> & "yard"')
    web.scene.world.atlas = replace(atlas, rooms={**atlas.rooms, yard.id: yard})
    assert '<i>Y</i> & "yard"' in read(web, "/map").words
    root = ET.fromstring(web.ask("GET", "/world/map.xml").body)
    assert '<i>Y</i> & "yard"' in [one.attrib["title"] for one in root.iter("room")]


# ── every page ──────────────────────────────────────────────────────────────────────────────────


def pages(web: Web) -> list[str]:
    """The paths that the sitemap names, without the client."""
    found = ET.fromstring(web.ask("GET", "/sitemap.xml").body)
    paths = [urlsplit(one.text or "").path for one in found.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert len(paths) == len(set(paths))
    return [path for path in paths if path != "/play"]


def test_every_page_is_well_made(web: Web) -> None:
    """Small, in a language, with a title, a description, landmarks, and headings in order; and no script."""
    titles = set()
    for path in pages(web):
        answer = web.ask("GET", path)
        page = Read(answer)
        names = [name for name, _ in page.elements]
        assert len(answer.body) < MOST, path
        assert page.all("html") == [{"lang": "en"}]
        assert not {"script", "style", "img", "form"} & set(names)
        assert not any(name == "style" or name.startswith("on") for _, given in page.elements for name in given)
        assert (names.count("main"), names.count("h1"), names.count("title")) == (1, 1, 1), path
        assert 20 < len(page.meta("description")) < 400, path
        levels = [int(name[1]) for name in names if name in ("h1", "h2", "h3", "h4")]
        assert all(after <= before + 1 for before, after in pairwise(levels)), path
        assert {"rel": "canonical", "href": path} in page.all("link")
        here = [one["href"] for one in page.all("a") if "aria-current" in one]
        assert here == [one for one in page.links[1 : 2 + WAYS] if one == path], path
        titles.add(page.title)
    assert len(titles) == len(pages(web))


def test_every_link_leads_somewhere(web: Web) -> None:
    for path in pages(web):
        for link in read(web, path).links:
            if link.startswith("#"):
                assert unquote(link[1:]) in [given.get("id") for _, given in read(web, path).elements]
            elif not link.startswith("telnet:"):
                to, _, place = link.partition("#")
                answer = web.ask("GET", to)
                assert answer.status == 200, (path, link)
                assert not place or unquote(place) in [given.get("id") for _, given in Read(answer).elements]


def test_a_page_is_asked_for_again(web: Web) -> None:
    """HEAD has the headers of GET, and whoever has a page is not sent it again until it changes."""
    for path in (*pages(web), "/robots.txt", "/sitemap.xml", "/world/map.xml"):
        page = web.ask("GET", path)
        head = web.ask("HEAD", path)
        assert (head.status, head.body) == (200, b"")
        assert {**head.headers, "date": ""} == {**page.headers, "date": ""}
        again = web.ask("GET", path, If_None_Match=page.headers["etag"])
        assert (again.status, again.body) == (304, b"")
    front = web.ask("GET", "/")
    assert front.headers["cache-control"] == "no-cache"
    web.scene.arrive("Cid")
    assert web.ask("GET", "/", If_None_Match=front.headers["etag"]).status == 200


def test_pages_are_only_read(web: Web) -> None:
    answer = web.ask("POST", "/who", {})
    assert answer.status == 405
    assert "GET" in answer.headers["allow"]


def test_too_many_pages() -> None:
    """Whoever asks too often is told when to come back, and can still come in."""
    web = Web(requests=2)
    assert [web.ask("GET", path).status for path in ("/", "/who", "/sitemap.xml")] == [200, 200, 429]
    refused = web.ask("GET", "/")
    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["cache-control"] == "no-store"
    assert Read(refused).meta("robots") == "noindex"
    assert web.post("guest") and web.ask("GET", "/play").status == 200
    web.scene.clock.advance(60.0)
    assert web.ask("GET", "/").status == 200


# ── for search engines ──────────────────────────────────────────────────────────────────────────


def test_robots_find_the_pages(web: Web) -> None:
    lines = web.ask("GET", "/robots.txt").body.decode().splitlines()
    assert lines[0] == "User-agent: *"
    assert "Disallow: /api/" in lines
    assert "Sitemap: http://play.example.org/sitemap.xml" in lines
    assert not any(line in ("Disallow: /", "Disallow: /static") for line in lines)
    assert b"<loc>http://play.example.org/who</loc>" in web.ask("GET", "/sitemap.xml").body


@pytest.mark.parametrize(("trusted", "scheme"), [("192.168.1.1", "https"), ("192.0.2.7", "http")])
def test_the_address_behind_a_proxy(web: Web, trusted: str, scheme: str) -> None:
    """Addresses are those of the outside, if the proxy that says so is believed."""
    web.proxies = Proxies((trusted,))
    found = web.ask("GET", "/sitemap.xml", X_Forwarded_Proto="https").body.decode()
    assert f"<loc>{scheme}://play.example.org/who</loc>" in found


# ── the client ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/play", "/claim"])
def test_the_client_has_one_address(web: Web, path: str) -> None:
    """With a slash at its end the client would look for everything in the wrong place."""
    moved = web.ask("GET", f"{path}/")
    assert (moved.status, moved.headers["location"]) == (308, path)
    assert b"js/main.js" in web.ask("GET", path).body
