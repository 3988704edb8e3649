"""A telnet connection as its session sees it: messages become words, frames of GMCP and MSDP, and a prompt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from mythos.flow.log import Entry, Gap
from mythos.net.outlet import Link, Outlet
from mythos.net.packages import Packages
from mythos.net.telnet.arrival import Arrival
from mythos.net.telnet.outofband import OutOfBand
from mythos.net.telnet.pipe import Pipe
from mythos.net.telnet.screen import Screen
from mythos.play.realm import Attached, Realm
from mythos.play.sessions import QUEUE, Session, Standing
from mythos.values import kept, restore
from mythos.wire import ansi, gmcp
from mythos.wire.clean import sanitize
from mythos.wire.message import TALK, Line, Role, Span, State, line
from mythos.world.state import Character, World

__all__ = ["Carrier", "TelnetLink"]


#: What another process needs of it.
_KEPT = ("_at_prompt", "_crowded", "_number", "_marks")


class Carrier(Protocol):
    """What carries it: the connection."""

    @property
    def address(self) -> str: ...

    @property
    def transport(self) -> Any: ...

    @property
    def pipe(self) -> Pipe: ...

    @property
    def screen(self) -> Screen: ...

    @property
    def outofband(self) -> OutOfBand: ...

    def hide_typing(self, hide: bool) -> None:
        """The next line is a secret, or is not."""

    def probe(self) -> bytes | None:
        """What asks for a mark; nothing while one is awaited. None: the peer speaks no telnet."""

    def keep_alive(self, now: float) -> None: ...

    def parcel(self) -> tuple[Any, dict[str, Any]] | None: ...

    def goodbye(self, code: int, reason: str) -> None: ...

    def abort(self) -> None: ...


class TelnetLink(Link):
    """:ivar arrival: what its client has"""

    __slots__ = (
        "_at_prompt",
        "_carrier",
        "_crowded",
        "_marks",
        "_number",
        "_outofband",
        "_packages",
        "_pipe",
        "_screen",
        "arrival",
    )

    kind = "telnet"

    def __init__(self, carrier: Carrier, outlet: Outlet, realm: Realm, session: Session) -> None:
        super().__init__(outlet, realm, session, carrier.address)
        self._carrier = carrier
        self._pipe = carrier.pipe
        self._screen = carrier.screen
        self._outofband = carrier.outofband
        self.draws = False
        self._at_prompt = False
        self._crowded = False  # it was told that its lines have to wait
        self._number = 0  # what the client was told by Mythos.Seq
        self._marks: Sequence[tuple[int, bytes]] = ()  # (command, reply): DO TIMING-MARK that waits for it
        self._packages: Packages | None = None  # until its client says what it draws
        self.arrival = Arrival(self, carrier)

    # ── what goes out ───────────────────────────────────────────────────────────────────────────

    def encode(self, entries: list[Entry], before: int) -> bytes:
        screen, outofband = self._screen, self._outofband
        style = screen.style
        words: list[bytes] = []
        states: list[bytes] = []
        asked = False
        for _, _, message in entries:
            rendered = message.rendered.get(style)  # type: ignore[attr-defined]
            if rendered is not None:
                words.append(rendered)
            elif type(message) is Line:
                words.append(ansi.render(message, style))
            elif type(message) is State:
                asked = asked or message.name == "Mythos.Ask"
                screen.note(message)
                if self._packages is not None:
                    states.append(self._packages.told(message, outofband.modules))
        if outofband.wants("Comm.Channel.Text"):
            states += [gmcp.render_talk(one) for _, _, one in entries if type(one) is Line and one.kind in TALK]
        self.report()
        if not words and not asked:
            return b"".join(states)
        if self._at_prompt and screen.prompted and not screen.prompt_mark:
            words.insert(0, b"\r\n")
        self._at_prompt = False
        return b"".join(states + words) if states else b"".join(words)

    def encode_gap(self, gap: Gap, before: int) -> bytes:
        return ansi.render(
            line("system", Span(f"-- about {gap.missed} lines could not be kept for you --", Role.WARNING)),
            self._screen.style,
        )

    def fits(self, lines: Sequence[Line]) -> int:
        """As many as fill the screen with the prompt below them."""
        rows = self._screen.height - 1
        for count, one in enumerate(lines):
            rows -= ansi.render(one, self._screen.style).count(b"\r\n")
            if rows < 0:
                return max(count, 1)
        return len(lines)

    def after_flush(self) -> bytes:
        """The position, for a client that wants it, and then the prompt."""
        position = b""
        if self._outofband.counts and self.cursor.sent != self._number:
            self._number = self.cursor.sent
            position = gmcp.encode("Mythos.Seq", {"e": self.session.log.epoch, "s": self._number})
        if self._at_prompt or self.session.standing is Standing.ENDED:
            return position
        self._at_prompt = True
        question = self.session.question
        self._carrier.hide_typing(question is not None and question.secret)
        return position + self._screen.prompt(question)

    def hello(self, attached: Attached, *, keeps_token: bool) -> bytes:
        """The first it hears of its session. ``keeps_token``: by Char.Login 2, to come back with."""
        if self._outofband.counts:
            session = {
                "session": attached.session,
                "e": attached.epoch,
                "resumed": attached.resumed,
                "missed": attached.missed,
                "next": attached.next_c,
                "token": attached.token,
            }
            told = gmcp.encode("Mythos.Session", session)
        elif attached.resumed and attached.missed:
            told = self._screen.words(f"-- resumed: {attached.missed} lines while you were away --")
        else:
            told = b""
        if attached.token and keeps_token:
            told += gmcp.encode("Char.Login.Token", {"account": self.session.me.name, "token": attached.token})
        return told

    def draw(self, *, anew: bool) -> None:
        """Send all that the client draws; ``anew``: states that stand in the log too."""
        modules = self._outofband.modules
        if modules:
            self.draws = True
            self._packages = Packages(self.realm, self.session)
            self.send(self._packages.greet(modules))
            if anew:
                self.realm.snapshot(self.session)

    def report(self) -> None:
        """What changed of the variables its client wants to be told of."""
        if (reports := self._outofband.reports) is not None and not self.shut:
            self._tell(reports.changed(self._who, self.realm.clock.seconds()))

    def _tell(self, frames: bytes) -> None:
        """What shows the world goes out when the world is on disk as it shows it."""
        if frames:
            self.realm.commits.after(lambda: self.write_behind(frames))

    @property
    def _who(self) -> tuple[World, Character]:
        return self.realm.world, self.session.me

    # ── what comes in ───────────────────────────────────────────────────────────────────────────

    def line(self, text: str) -> None:
        """A line that was typed, as it was typed."""
        self._at_prompt = False
        question = self.session.question
        if question is not None and question.secret:
            self.send(b"\r\n")  # the client has not shown that of its player
        elif question is None or question.words:
            text = sanitize(text)
            if question is None and not text:
                self.send(self._screen.prompt_anew())
                self._at_prompt = True
                return
        self.realm.submit(self.session, 0, text)
        if not self._crowded and self.session.lines is not None and len(self.session.lines) >= QUEUE:
            self._crowded = True
            self.send(
                self._screen.words("That is a lot at once: your lines are taken one after another, none is lost.")
            )

    def asked(self, message: gmcp.Gmcp) -> None:
        """A message of GMCP that is about the game; one that comes while the client takes nothing is passed over."""
        if self._packages is not None and not self.shut:
            self._tell(self._packages.asked(message.name, message.data, self._outofband.modules))

    def configure(self, pairs: Iterable[tuple[str, Any]], *, json: bool) -> None:
        """What its client asks by MSDP; while it takes nothing, that is passed over."""
        if (reports := self._outofband.reports) is not None and not self.shut:
            self._tell(reports.asked(pairs, self._who, self.realm.clock.seconds(), json=json))

    def answer(self, c: int, error: str, expect: int, dup: bool) -> None:
        """Telnet does not count commands; but this one may have been ``settings``, or a mark may wait for it."""
        self.follow_settings()
        if c + 1 >= self.session.next_c:
            self._crowded = False
        while self._marks and self._marks[0][0] <= c:
            (_, reply), *self._marks = self._marks
            self.write_behind(reply)

    def follow_settings(self) -> None:
        if self._screen.follow(self.session.me.settings):
            self.realm.snapshot(self.session)  # what was told before was not kept

    def mark(self, reply: bytes) -> None:
        """Answer DO TIMING-MARK behind the words of all commands before it (RFC 860)."""
        if self.session.done_c + 1 >= self.session.next_c:
            self.write_behind(reply)
        else:
            self._marks = [*self._marks, (self.session.next_c - 1, reply)]

    # ── from one process to another ─────────────────────────────────────────────────────────────

    def parcel(self) -> tuple[Any, dict[str, Any]] | None:
        return self._carrier.parcel()

    def kept(self) -> dict[str, Any]:
        return {**super().kept(), **kept(self, _KEPT), "packages": self._packages is not None}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        restore(self, _KEPT, state)
        if state["packages"]:
            self._packages = Packages(self.realm, self.session)

    # ── the connection ──────────────────────────────────────────────────────────────────────────

    def send(self, data: bytes) -> None:
        self._pipe.send(data)

    @property
    def transport(self) -> Any:
        return self._carrier.transport

    def abort(self) -> None:
        self._carrier.abort()

    def shutdown(self, code: int, reason: str) -> None:
        self._carrier.goodbye(code, reason)

    def pause(self) -> None:
        self._pipe.stop_reading()

    def resume(self) -> None:
        self._pipe.read_on()

    def sweep(self, now: float) -> None:
        super().sweep(now)
        if not self._outofband.counts:
            self.arrival.look()
        self._carrier.keep_alive(now)
        self.report()
