"""The HTTP API: every answer it documents, every error, and that its document is true."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest

from mythos.app.places import web_files
from mythos.net.guarded import BODY
from mythos.net.openapi import DOCUMENT
from mythos.net.site import WebFiles
from mythos.play.ports import StoreDown
from tests.net.web import FILES, Answer, Web

PASSWORD = "a good long one"


@pytest.fixture
def web() -> Web:
    return Web()


# ── the document ────────────────────────────────────────────────────────────────────────────────


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """As much of JSON Schema as the document uses."""
    kinds: dict[str, type] = {"object": dict, "string": str, "integer": int, "boolean": bool}
    if not isinstance(value, kinds[schema["type"]]):
        return False
    known: dict[str, Any] = schema.get("properties", {})
    found: Any = value
    return (
        all(name in found for name in schema.get("required", ()))
        and all(fits(found[name], known[name]) for name in known if name in found)
        and (schema.get("additionalProperties", True) or found.keys() <= known.keys())
    )


def bodies(web: Web) -> dict[str, tuple[Any, str]]:
    """A request that succeeds for each path: (body, token)."""
    made = [web.post("register", {"name": name, "password": PASSWORD}).json for name in ("Tamsin", "Wenna", "Loveday")]
    mine, changing, leaving = [one["token"] for one in made]
    code = web.scene.accounts.offer_claim()
    web.stream(mine)
    return {
        "guest": ({}, ""),
        "register": ({"name": "Morwenna", "password": PASSWORD}, ""),
        "login": ({"name": "Tamsin", "password": PASSWORD}, ""),
        "claim": ({"code": _result(code), "name": "Jory", "password": PASSWORD}, ""),
        "refresh": ({"refresh": web.guest()["refresh"]}, ""),
        "ticket": ({}, mine),
        "commands": ({"c": 1, "line": "look"}, mine),
        "password": ({"old": PASSWORD, "new": "another long one"}, changing),
        "me": ({"password": PASSWORD}, leaving),
        "control": ({"do": "status"}, "a token of an operator's"),
        "logout": ({}, web.guest()["token"]),
    }


def _result(work: Any) -> Any:
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


async def _well(token: str, question: bytes, address: str) -> tuple[int, dict[str, Any]]:
    return 200, {"ok": True}


def test_the_document_is_true(web: Web) -> None:
    """Every path answers as it says, with success and with an error."""
    assert web.ask("GET", "/api/openapi.json").json == DOCUMENT
    requests = bodies(web)
    web.api.control, web.api.is_secure = _well, lambda request: True
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            body, token = requests.get(path.rsplit("/", 1)[1], (None, "")) if method != "get" else (None, "")
            token = token or (requests["ticket"][1] if "security" in operation else "")
            if body is not None and "requestBody" in operation:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                assert fits(body, schema), path
            found = web.ask(
                method.upper(),
                path.replace("{space}", "pages"),
                body,
                **({"Authorization": f"Bearer {token}"} if token else {}),
            )
            described = operation["responses"][str(found.status)]["content"]["application/json"]["schema"]
            assert fits(found.json, described), (path, found)
            assert found.headers["content-type"] == "application/json"
            assert bool(operation.get("security")) == bool(token), path
            if method == "post" or "requestBody" in operation:
                wrong = web.ask(method.upper(), path, b"[]")
                assert wrong.status >= 400
                assert fits(wrong.json, operation["responses"]["default"]["content"]["application/json"]["schema"])


def test_nothing_is_left_out_of_the_document(web: Web) -> None:
    """Every route of the API is described; two spellings of one path are one."""
    routes = {re.sub(r"<(\w+)>", r"{\1}", rule.rule) for rule in web.api.app.url_map.iter_rules()}
    assert {path.rstrip("/") for path in routes} - set(DOCUMENT["paths"]) == {
        "/sse",
        "/api/openapi.json",
        "/api/health",
    }


def test_what_is_kept_on_me(web: Web) -> None:
    """Only mine, with a password where something changes; the tokens of before end with it."""
    mine = web.post("register", {"name": "Morwenna", "password": PASSWORD}).json
    shown = {"Authorization": f"Bearer {mine['token']}"}
    assert web.ask("GET", "/api/v1/me", **shown).json["name"] == "Morwenna"
    found = web.ask("GET", "/api/v1/me/export", **shown)
    assert (found.json["account"]["name"], found.headers["cache-control"]) == ("Morwenna", "no-store")
    assert found.headers["content-disposition"].startswith("attachment")
    web.scene.clock.advance(2)
    wrong = {"old": "not my password", "new": "another long one"}
    assert web.post("me/password", wrong, token=mine["token"]).status == 400
    new = web.post("me/password", wrong | {"old": PASSWORD}, token=mine["token"]).json
    assert web.ask("GET", "/api/v1/me", **shown).status == 401
    shown = {"Authorization": f"Bearer {new['token']}"}
    assert web.ask("DELETE", "/api/v1/me", {"password": PASSWORD}, **shown).status == 400
    assert web.ask("GET", "/api/v1/me", **shown).status == 200
    assert web.ask("DELETE", "/api/v1/me", {"password": "another long one"}, **shown).json["deleted_at"] > "2027-01-2"
    assert web.ask("GET", "/api/v1/me", **shown).status == 401
    assert web.post("login", {"name": "Morwenna", "password": "another long one"}).status == 200
    guest = web.guest()["token"]
    assert web.ask("GET", "/api/v1/me/export", Authorization=f"Bearer {guest}").error == "refused"
    assert web.ask("GET", "/api/v1/me/export").status == 401


def test_orders_are_taken_over_tls_alone(web: Web) -> None:
    """A token that came otherwise was overheard."""
    assert web.post("control", {"do": "status"}, token="t").status == 404
    web.api.control = _well
    assert web.post("control", {"do": "status"}, token="t").error == "not_secure"
    web.api.is_secure = lambda request: True
    assert web.post("control", {"do": "status"}, token="t").json == {"ok": True}
    assert web.post("control", {"do": "status"}).error == "unauthorized"


# ── coming in ───────────────────────────────────────────────────────────────────────────────────


def test_register_login_refresh_logout(web: Web) -> None:
    first = web.post("register", {"name": "Morwenna", "password": PASSWORD}).json
    assert first["name"] == "Morwenna"
    again = web.post("login", {"name": "morwenna", "password": PASSWORD}).json
    assert again["session"] == first["session"]
    new = web.post("refresh", {"refresh": again["refresh"]}).json
    assert new["session"] == first["session"]
    assert web.post("logout", token=new["token"]).status == 200
    for token in (first["token"], again["token"], new["token"]):
        assert web.post("ticket", token=token).error == "unauthorized"
    assert web.post("refresh", {"refresh": new["refresh"]}).error == "unauthorized"


def test_a_refresh_token_used_twice_ends_its_family(web: Web) -> None:
    """One of the two users stole it: neither may go on."""
    guest = web.guest()
    second = web.post("refresh", {"refresh": guest["refresh"]}).json
    assert web.post("refresh", {"refresh": guest["refresh"]}).error == "unauthorized"
    assert web.post("refresh", {"refresh": second["refresh"]}).error == "unauthorized"


def test_a_taken_name(web: Web) -> None:
    web.post("register", {"name": "Morwenna", "password": PASSWORD})
    taken = web.post("register", {"name": "MORWENNA", "password": PASSWORD})
    assert (taken.status, taken.error) == (409, "name_taken")


def test_guessing_is_slowed(web: Web) -> None:
    """Unknown names and wrong passwords look alike; after some tries one has to wait, and is told how long."""
    web.post("register", {"name": "Morwenna", "password": PASSWORD})
    wrong = [web.post("login", {"name": name, "password": "guess"}) for name in ("Morwenna", "Nobody")]
    assert wrong[0].json == wrong[1].json
    assert wrong[0].status == 401
    for _ in range(40):
        found = web.post("login", {"name": "Morwenna", "password": "guess"})
    assert (found.status, found.error) == (429, "too_many_tries")
    assert int(found.headers["retry-after"]) >= 1


def test_the_first_keeper(web: Web) -> None:
    code = _result(web.scene.accounts.offer_claim())
    claim = {"code": "AAAA-AAAA", "name": "Jory", "password": PASSWORD}
    assert web.post("claim", claim).status == 400
    assert web.post("claim", {**claim, "code": code.lower()}).status == 200
    assert web.post("claim", {**claim, "code": code}).status == 400


# ── what is wrong with a request ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "name"),
        (b"{", "truncated"),
        (b"\xff", "malformed"),
        (b"[]", "object"),
        (b'{"name": 7, "password": "x"}', "name"),
        (b'{"name": "Ann", "password": "a good long one", "keeper": true}', "keeper"),
        (b'{"name": ' + b"[" * 5000, "name"),
    ],
)
def test_bodies_that_are_wrong(web: Web, body: bytes, words: str) -> None:
    """The answer names what was wrong, and nothing was done."""
    found = web.ask("POST", "/api/v1/register", body)
    assert found.status == 400
    assert found.error == "bad_request"
    assert words in found.json["error"]["message"].lower()


def test_a_body_that_is_too_large(web: Web) -> None:
    found = web.ask("POST", "/api/v1/guest", b" " * (BODY + 1))
    assert (found.status, found.error) == (413, "too_large")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic abc", "Bearer \xff"])
def test_no_right_token(web: Web, header: str) -> None:
    headers = {"Authorization": header} if header else {}
    found = web.ask("POST", "/api/v1/ticket", {}, **headers)
    assert (found.status, found.error) == (401, "unauthorized")


def test_wrong_methods_and_paths(web: Web) -> None:
    """Errors like all others; a wrong method is told the right ones."""
    wrong = web.ask("GET", "/api/v1/guest")
    assert (wrong.status, wrong.error, wrong.headers["allow"]) == (405, "method", "POST")
    assert web.ask("DELETE", "/health").headers["allow"] == "GET, HEAD"
    for path in ("/api/v1/nothing", "/nowhere"):
        found = web.ask("GET", path)
        assert (found.status, found.error) == (404, "not_found")


def test_too_many_requests() -> None:
    web = Web(requests=3)
    answers = [web.post("guest") for _ in range(4)]
    assert [one.status for one in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert web.ask("GET", "/health").status == 200


def test_tokens_wait_for_the_disk(web: Web) -> None:
    """A token that is shown is good after a crash too."""
    commits = web.scene.realm.commits
    wake, commits.wake = commits.wake, lambda: None
    plug = web.connect()
    plug.receive(b"POST /api/v1/guest HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
    web.run()
    assert plug.take() == b""
    wake()
    web.run()
    assert plug.take().startswith(b"HTTP/1.1 200 ")
    plug.lost()


def test_a_login_while_the_store_does_not_answer(web: Web) -> None:
    """It is to be tried again; what the database says of itself is nobody's business."""
    web.post("register", {"name": "Tamsin", "password": PASSWORD})

    async def away(key: str) -> Any:
        raise StoreDown("no connection to db.internal")

    web.scene.store.by_key = away  # type: ignore[method-assign]
    answer = web.post("login", {"name": "Tamsin", "password": PASSWORD})
    assert (answer.status, answer.error, answer.headers["retry-after"]) == (503, "busy", "2")
    assert "db.internal" not in answer.json["error"]["message"]


# ── health ──────────────────────────────────────────────────────────────────────────────────────


def test_health(web: Web) -> None:
    """Alive whatever happens; ready and healthy only if it can serve, else with the reason."""
    assert web.ask("GET", "/health/ready").json == {"status": "ready"}
    assert web.ask("GET", "/health/detailed").json["status"] == "healthy"
    web.health.checks["database"] = lambda: "the disk is full"
    ready, health = web.ask("GET", "/health/ready"), web.ask("GET", "/health")
    assert (ready.status, ready.json["reason"]) == (503, "database: the disk is full")
    assert (health.status, health.json["status"]) == (503, "unhealthy")
    assert health.json["checks"]["database"] == {"status": "down", "message": "the disk is full"}
    assert health.json["database"] == "the disk is full"
    del web.health.checks["database"]
    web.health.state = "draining"
    assert web.ask("GET", "/health/ready").json["reason"] == "draining"
    assert web.ask("GET", "/health/live").json == {"status": "alive"}


# ── pages ───────────────────────────────────────────────────────────────────────────────────────


def hardened(answer: Answer) -> bool:
    policy = answer.headers["content-security-policy"]
    return (
        "default-src 'none'" in policy
        and "unsafe" not in policy
        and answer.headers["x-content-type-options"] == "nosniff"
        and answer.headers["referrer-policy"] == "no-referrer"
    )


def test_the_page_and_its_files(web: Web) -> None:
    """The page is asked for again and again, its files never; both say what a browser may do with them."""
    page = web.ask("GET", "/play")
    path = page.body.decode().split("src=")[1].split(">")[0]
    file = web.ask("GET", path)
    assert file.body == FILES["js/main.js"]
    assert file.headers["content-type"].startswith("text/javascript")
    assert "immutable" in file.headers["cache-control"]
    assert hardened(page)
    assert hardened(file)
    again = web.ask("GET", "/play", If_None_Match=page.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    head = web.ask("HEAD", "/play")
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("br", False),
    ],
)
def test_files_are_packed_for_who_takes_it(web: Web, accepted: str, packed: bool) -> None:
    """By gzip, with an etag of its own, and said to caches."""
    plain = web.ask("GET", "/play")
    answer = web.ask("GET", "/play", Accept_Encoding=accepted)
    assert (answer.headers.get("content-encoding") == "gzip") is packed
    assert (gzip.decompress(answer.body) if packed else answer.body) == plain.body
    assert (answer.headers["etag"] == plain.headers["etag"]) is not packed
    assert answer.headers["vary"] == "accept-encoding"
    again = web.ask("GET", "/play", Accept_Encoding=accepted, If_None_Match=answer.headers["etag"])
    assert (again.status, again.body) == (304, b"")


def test_code_goes_out_without_comments() -> None:
    """Each line stays where it is; what only looks like a comment stays."""
    source = """/**
 * Words.
 */
  const a = "// no comment"; // stays
  // goes
  /** @type {any} */ const b = `/*`;
  /* goes
     x = 1; */
  const c = a /* stays */ + b;
"""
    files = WebFiles(
        {"a.js": source.encode(), "a.css": b"/* goes */\n p { color: red; }\n", "a.svg": b"  // svg"}
    ).files
    assert files["a.js"].decode().split("\n") == [
        "", "", "", 'const a = "// no comment"; // stays', "", "/** @type {any} */ const b = `/*`;", "", "",
        "const c = a /* stays */ + b;", "",
    ]  # fmt: skip
    assert (files["a.css"], files["a.svg"]) == (b"\np { color: red; }\n", b"  // svg")


def test_the_client_is_small() -> None:
    """What a visitor loads is 150 kB at most, 40 kB packed, with the words of one language. No text in it runs over
    lines, where indentation and comments would be part of it."""
    files = web_files()
    for name, body in files.files.items():
        assert not name.endswith(".js") or all(line.count(b"`") % 2 == 0 for line in body.split(b"\n")), name
    loaded = [body for name, body in files.files.items() if name not in ("js/german.js", "css/pages.css")]
    assert sum(map(len, loaded)) <= 150_000
    assert sum(len(gzip.compress(body, 9)) for body in loaded) <= 40_000


def test_the_worker_is_of_the_version(web: Web) -> None:
    """What keeps the page in the browser is asked for each time, and knows the tree of its version, with all files."""
    worker = web.ask("GET", "/worker.js")
    tree = web.ask("GET", "/play").body.decode().split("src=")[1].split("/js/main.js>")[0]
    assert worker.body.decode() == f"{tree}: js/main.js"
    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.headers["cache-control"] == "no-cache"
    assert hardened(worker)


@pytest.mark.parametrize(
    "path",
    ["/static/../api.py", "/static/%2e%2e/%2e%2e/etc/passwd", "/static/x/js/main.js", "/static//etc/passwd", "/static"],
)
def test_no_other_file_is_served(web: Web, path: str) -> None:
    assert web.ask("GET", path).status == 404


def test_every_answer_is_hardened(web: Web) -> None:
    assert all(
        hardened(web.ask("GET", path))
        for path in ("/", "/who", "/play", "/play/", "/claim", "/nowhere", "/health", "/static/no")
    )
