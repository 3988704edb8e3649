"""Tokens that were forged, stolen or kept too long, and passwords that somebody guesses."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs

from mythos.ids import AccountId, EntityId, SessionId
from mythos.net.tokens import ACCESS, LEEWAY, JWTTokens, derive
from mythos.play.ports import TokenInvalid
from tests.net.web import Web, playing
from tests.scenes.scene import PlainHasher

SECRET = "a secret key of a test, long enough to pass"
KEY = derive(SECRET, "access token")
KID = hashlib.sha256(KEY).hexdigest()[:8]
WALL = 1_000_000.0
GOOD = {
    "iss": "mythos", "aud": "mythos", "sub": "s1", "chr": "c1", "acc": 7, "jti": "0" * 16,
    "nbf": WALL, "iat": WALL, "exp": WALL + ACCESS,
}  # fmt: skip
PASSWORD = "a good long one"


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def signed(claims: dict[str, Any], key: bytes | str = KEY, algorithm: str = "HS256", **head: Any) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": KID} | head)


def other_algorithm(name: str) -> str:
    """With the right key, which is shorter than PyJWT would have it for this one."""
    body = f"{part({'alg': name, 'kid': KID})}.{part(GOOD)}"
    signature = hmac.new(KEY, body.encode(), {"HS384": "sha384", "HS512": "sha512"}[name]).digest()
    return f"{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def read(token: str, wall: float = WALL) -> Any:
    return JWTTokens(SECRET).read(token, wall)


# ── access tokens ───────────────────────────────────────────────────────────────────────────────


def test_a_good_token_is_read() -> None:
    """The control: what each of the next lacks is all that is wrong with it."""
    claims = read(signed(GOOD))
    assert (claims.session, claims.character, claims.account) == ("s1", "c1", 7)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(f"{part({'alg': 'none', 'kid': KID})}.{part(GOOD)}.", id="alg none"),
        pytest.param(f"{part({'alg': 'None', 'kid': KID})}.{part(GOOD)}.{'x' * 43}", id="alg None"),
        pytest.param(f"{part({'kid': KID})}.{part(GOOD)}.x", id="no alg"),
        pytest.param(other_algorithm("HS384"), id="another alg with the right key"),
        pytest.param(other_algorithm("HS512"), id="a third"),
        pytest.param(f"{part({'alg': 'RS256', 'kid': KID})}.{part(GOOD)}.{'x' * 342}", id="RS256"),
        pytest.param(signed(GOOD, derive("another secret key of a test, as long", "access token")), id="another key"),
        pytest.param(signed(GOOD, SECRET), id="the secret itself as the key"),
        pytest.param(signed(GOOD, derive(SECRET, "ticket")), id="the key of another purpose"),
        pytest.param(signed(GOOD, b"x" * 32, kid=""), id="an empty kid"),
        pytest.param(signed(GOOD, kid="../../etc/passwd"), id="a kid that is a path"),
        pytest.param(signed(GOOD, kid="' OR 1=1 --"), id="a kid that is SQL"),
        pytest.param(f"{part({'alg': 'HS256', 'kid': [KID]})}.{part(GOOD)}.x", id="a kid that is a list"),
        pytest.param(jwt.encode(GOOD, KEY, algorithm="HS256"), id="no kid"),
        pytest.param(
            jwt.encode(GOOD, b"x" * 32, "HS256", {"kid": KID, "jwk": {"kty": "oct", "k": "eHh4"}}), id="its own key"
        ),
        pytest.param(signed(GOOD)[:-2] + "AA", id="another signature"),
        pytest.param(signed(GOOD).replace(".", ".x", 1), id="other claims"),
        pytest.param(signed(GOOD) + ".x", id="a fourth part"),
        pytest.param("", id="nothing"),
        pytest.param("..", id="dots"),
        pytest.param("é.é.é", id="no base64"),
        *(pytest.param(signed(GOOD | {name: "x"}), id=f"another {name}") for name in ("iss", "aud", "exp", "nbf")),
        *(
            pytest.param(signed({k: v for k, v in GOOD.items() if k != name}), id=f"no {name}")
            for name in ("iss", "aud", "sub", "exp", "nbf", "jti", "chr")
        ),
        pytest.param(signed(GOOD | {"aud": ["mythos", 5]}), id="an audience that is none"),
        pytest.param(signed(GOOD | {"exp": WALL - LEEWAY - 1}), id="too old"),
        pytest.param(signed(GOOD | {"nbf": WALL + LEEWAY + 1}), id="of the future"),
        pytest.param(signed(GOOD | {"exp": float("nan")}), id="an end that is no number"),
    ],
)
def test_forged_tokens(token: str) -> None:
    """Each is refused with the one exception that doors expect."""
    with pytest.raises(TokenInvalid):
        read(token)


def test_tokens_of_the_key_before() -> None:
    """Are good while it is still named, and no longer; no two tokens are alike."""
    made = [JWTTokens(SECRET).access(SessionId("s1"), EntityId("c1"), AccountId(7), WALL) for _ in range(2)]
    assert len({jwt.decode(one, options={"verify_signature": False})["jti"] for one in made}) == 2
    new = "a new secret key of a test, long enough too"
    assert JWTTokens(new, SECRET).read(made[0], WALL).session == "s1"
    with pytest.raises(TokenInvalid):
        JWTTokens(new).read(made[0], WALL)


def test_a_token_ends_to_the_second() -> None:
    token = JWTTokens(SECRET).access(SessionId("s1"), EntityId("c1"), None, WALL)
    assert read(token, WALL + ACCESS + LEEWAY).account is None
    with pytest.raises(TokenInvalid):
        read(token, WALL + ACCESS + LEEWAY + 1)


def test_a_stolen_refresh_token_ends_the_whole_chain() -> None:
    """However far its owner has come meanwhile; other logins of the same account go on."""
    web = Web()
    first = web.post("register", {"name": "Morwenna", "password": PASSWORD}).json
    other = web.post("login", {"name": "Morwenna", "password": PASSWORD}).json
    newest = first
    for _ in range(3):
        newest = web.post("refresh", {"refresh": newest["refresh"]}).json
    assert web.post("refresh", {"refresh": first["refresh"]}).status == 401
    assert web.post("refresh", {"refresh": newest["refresh"]}).status == 401
    assert web.post("refresh", {"refresh": other["refresh"]}).status == 200


def test_a_refresh_token_that_nobody_gave() -> None:
    web = Web()
    for one in ("", "x", "x" * 43, "é", web.guest()["token"]):
        assert web.post("refresh", {"refresh": one}).status == 401


# ── guessing ────────────────────────────────────────────────────────────────────────────────────


class Counting(PlainHasher):
    """Counts the work."""

    def __init__(self) -> None:
        self.verified: list[str | None] = []

    async def verify(self, hash: str | None, password: str) -> bool:
        self.verified.append(hash)
        return await super().verify(hash, password)


def login(web: Web, password: str = "a guess of mine", name: str = "Morwenna") -> int:
    return web.post("login", {"name": name, "password": password}).status


def test_guesses_from_everywhere() -> None:
    """At one account together no more than ten, whatever the addresses, and none of them costs work beyond that. Its
    owner still gets in from home, and from elsewhere when the guessing has been over for a while."""
    web = Web()
    hasher = web.scene.accounts._hasher = Counting()
    web.address = "198.51.100.1"
    web.post("register", {"name": "Morwenna", "password": PASSWORD})
    assert login(web, PASSWORD) == 200
    answers = []
    for guess in range(300):
        web.address = f"203.0.{guess % 250}.{guess // 250}"
        answers.append(login(web))
    assert answers.count(401) <= 10
    assert set(answers) == {401, 429}
    assert len(hasher.verified) <= 11
    web.address = "198.51.100.77"
    assert login(web, PASSWORD) == 200
    web.address = "192.0.2.200"
    assert login(web, PASSWORD) == 429
    web.scene.clock.advance(90)
    assert login(web, PASSWORD) == 200


def test_guesses_at_everybody() -> None:
    """From one network fifty, over all accounts; another network is not concerned."""
    web = Web()
    answers = [login(web, name=f"name{chr(97 + at // 26)}{chr(97 + at % 26)}") for at in range(80)]
    assert answers.count(401) == 50
    assert answers[50:] == [429] * 30
    web.address = "198.51.100.1"
    assert login(web) == 401


def test_names_that_nobody_has_cost_the_same() -> None:
    """The same words, and the same work: a hash is checked."""
    web = Web()
    hasher = web.scene.accounts._hasher = Counting()
    web.post("register", {"name": "Morwenna", "password": PASSWORD})
    known, unknown = (web.post("login", {"name": name, "password": "x" * 12}) for name in ("Morwenna", "Nobody"))
    assert (known.status, known.body) == (unknown.status, unknown.body)
    assert len(hasher.verified) == 2


def test_guesses_at_the_old_password() -> None:
    """Whoever sits at somebody's open session has ten tries at it, too."""
    with playing() as web:
        hasher = web.scene.accounts._hasher = Counting()
        token = web.post("register", {"name": "Morwenna", "password": PASSWORD}).json["token"]
        client = web.socket(token)
        heard, c = "", 0
        for _ in range(15):
            for line in ("password", "not the one", PASSWORD, PASSWORD):
                c += 1
                client.send({"c": c, "line": line})
            heard += "".join([one.get("text", "") for one in client.take()])
        assert "Too many tries" in heard
        assert len(hasher.verified) == 10


def test_failed_logins_are_in_the_log() -> None:
    """From where, for programs that shut such addresses out; not the name, which may be a password."""
    web = Web()
    web.address = "198.51.100.9"
    with capturedLogs() as told:
        for _ in range(11):
            login(web, name="Canary")
        connection: Any = web.door.buildProtocol(None)
        transport = StringTransport()
        connection.makeConnection(transport)
        web.scene.clock.advance(3)
        web.post("register", {"name": "Morwenna", "password": PASSWORD})
        for line in (b"Morwenna\r\n", b"Canary-password\r\n"):
            web.outlet.sweep(web.scene.clock.seconds())
            connection.dataReceived(line)
            web.run()
    said = [one["log_format"].format(**one) for one in told if "login" in (one.get("log_format") or "")]
    assert said[:10] == ["login failed from 198.51.100.9"] * 10
    assert said[10] == "login refused: 198.51.100.9 has tried too often"
    assert said[11] == "login failed from 192.168.1.1"
    assert "anary" not in "".join(said)


def test_a_new_password_ends_what_a_thief_has() -> None:
    """Access, refresh and resume tokens; whoever is connected stays, and can resume."""
    with playing() as web:
        mine = web.post("register", {"name": "Morwenna", "password": PASSWORD}).json
        stolen = web.socket(mine["token"])
        resume = stolen.take()[0]["token"]
        stolen.send({"a": 1})
        stolen.lost()
        client = web.socket(mine["token"])
        hello = client.take()[0]
        client.send({"a": 1})
        web.scene.clock.advance(2)
        for token in (mine["token"], resume):
            assert web.post("ticket", token=token).status == 200
        for c, line in enumerate(("password", PASSWORD, "another long one", "another long one"), hello["next"]):
            client.send({"c": c, "line": line})
        assert "Your password is changed." in "".join([one.get("text", "") for one in client.take()])
        for token in (mine["token"], resume):
            assert web.post("ticket", token=token).status == 401
        assert web.post("refresh", {"refresh": mine["refresh"]}).status == 401
        assert web.post("ticket", token=hello["token"]).status == 200
        again = web.post("login", {"name": "Morwenna", "password": "another long one"}).json
        assert web.post("ticket", token=again["token"]).status == 200
