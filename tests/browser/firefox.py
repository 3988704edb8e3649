"""Firefox, spoken to by WebDriver BiDi (w3c.github.io/webdriver-bidi): Playwright drives only its own build."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from tests.house.clients import PATIENCE, Frames

__all__ = ["Firefox", "Tab"]

#: Keys that are no letters, as WebDriver names them.
_KEYS: Final = {
    "Tab": "\ue004", "Enter": "\ue007", "Shift": "\ue008", "Control": "\ue009", "Alt": "\ue00a", "Escape": "\ue00c",
    "PageUp": "\ue00e", "PageDown": "\ue00f", "End": "\ue010", "ArrowLeft": "\ue012", "ArrowUp": "\ue013",
    "ArrowRight": "\ue014", "ArrowDown": "\ue015",
}  # fmt: skip
#: Nothing that speaks to the outside by itself.
_PREFERENCES: Final[Mapping[str, bool | int | str]] = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.systemAddon.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.server": "",
}


class Firefox:
    """A browser of its own profile, without a window."""

    def __init__(self, program: Path, profile: Path) -> None:
        profile.mkdir()
        preferences = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in _PREFERENCES.items())
        (profile / "user.js").write_text("\n".join(preferences))
        self._process = subprocess.Popen(
            [program, "--headless", "--no-remote", "--remote-debugging-port=0", "--profile", profile],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stderr is not None
        said = (re.search(r"BiDi listening on ws://127\.0\.0\.1:(\d+)", line) for line in self._process.stderr)
        port = next(int(found[1]) for found in said if found)
        # a pipe that nobody reads would hold it up
        self._reader = threading.Thread(target=deque, args=(self._process.stderr, 0))
        self._reader.start()
        self._wire = Frames(port, "/session")
        self._count = 0
        self.tabs: dict[str, Tab] = {}
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])

    def ask(self, method: str, /, **params: Any) -> Any:
        """The result of a command; what happens meanwhile goes to its tab. :raises AssertionError: it failed"""
        self._count += 1
        self._wire.send({"id": self._count, "method": method, "params": params})
        while True:
            frame = self._wire.receive()
            if frame.get("id") == self._count:
                assert frame["type"] == "success", f"{method}: {frame}"
                return frame["result"]
            self._note(frame)

    def _note(self, event: dict[str, Any]) -> None:
        params = event["params"]
        tab = self.tabs.get(params.get("context") or params.get("source", {}).get("context"))
        if tab is None:
            return
        if event["method"] == "network.beforeRequestSent":
            tab.requests.append(params["request"]["url"])
        elif params["level"] in ("warn", "error"):
            tab.errors.append(params["text"])

    def open(self, width: int = 1000, height: int = 700) -> Tab:
        """A tab of a visitor who was never here."""
        user = self.ask("browser.createUserContext")["userContext"]
        tab = Tab(self, self.ask("browsingContext.create", type="tab", userContext=user)["context"])
        self.tabs[tab.context] = tab
        tab.ask("browsingContext.setViewport", viewport={"width": width, "height": height})
        return tab

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._wire.cut()
        self._reader.join()
        if self._process.stderr is not None:
            self._process.stderr.close()


@dataclass
class Tab:
    """One page.

    :ivar errors: and warnings, of the console
    :ivar requests: every address it asked for
    """

    firefox: Firefox
    context: str
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def ask(self, method: str, /, **params: Any) -> Any:
        return self.firefox.ask(method, context=self.context, **params)

    def goto(self, url: str) -> None:
        self.ask("browsingContext.navigate", url=url, wait="complete")

    def reload(self) -> None:
        self.ask("browsingContext.reload", wait="complete")

    def run(self, script: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        found = self.firefox.ask(
            "script.evaluate",
            expression=f"Promise.resolve({script}).then((value) => JSON.stringify(value ?? null))",
            target={"context": self.context},
            awaitPromise=True,
            userActivation=True,
        )
        assert found["type"] == "success", found
        return json.loads(found["result"]["value"])

    def wait_for(self, script: str) -> Any:
        """The value of an expression as soon as it is true, looked at ten times a second, for ten seconds at most."""
        found = self.run(
            f"""new Promise((done) => {{
                let left = 100;
                const look = () => {{
                    const value = {script};
                    if (value || !(left -= 1)) done(value);
                    else setTimeout(look, 100);
                }};
                look();
            }})"""
        )
        assert found, f"never: {script}\n{self.run('document.body.innerText')}"
        return found

    def nodes(self, role: str, name: str | None = None) -> list[Any]:
        """What the accessibility tree has of a role, by its name."""
        value = {"role": role} if name is None else {"role": role, "name": name}
        found: list[Any] = self.ask("browsingContext.locateNodes", locator={"type": "accessibility", "value": value})[
            "nodes"
        ]
        return found

    def click(self, role: str, name: str) -> None:
        """Click what stands there once."""
        (node,) = self.nodes(role, name)
        origin = {"type": "element", "element": {"sharedId": node["sharedId"]}}
        press = [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        moves = [{"type": "pointerMove", "x": 0, "y": 0, "origin": origin}, *press]
        self.ask("input.performActions", actions=[{"type": "pointer", "id": "mouse", "actions": moves}])

    def press(self, keys: str) -> None:
        """One key, or some together: ``Alt+ArrowUp``."""
        values = [_KEYS.get(key, key) for key in keys.split("+")]
        down = [{"type": "keyDown", "value": value} for value in values]
        up = [{"type": "keyUp", "value": value} for value in reversed(values)]
        self.ask("input.performActions", actions=[{"type": "key", "id": "keys", "actions": [*down, *up]}])

    def type(self, text: str) -> None:
        """Key by key; a line feed is Enter."""
        values = [_KEYS["Enter"] if letter == "\n" else letter for letter in text]
        strokes = [{"type": kind, "value": value} for value in values for kind in ("keyDown", "keyUp")]
        self.ask("input.performActions", actions=[{"type": "key", "id": "keys", "actions": strokes}])
