"""What the page costs: memory and answers with a long log, and the time until something is seen."""

from __future__ import annotations

from statistics import median
from typing import Any, Final

from playwright.sync_api import CDPSession, Page

from tests.browser.visits import serve_client
from tests.house.server import Server

#: A server inside the page: no wire is fast enough to fill a log of this length in a test.
FLOOD: Final = """
    window.WebSocket = class {
        static OPEN = 1;
        readyState = 1;
        constructor() {
            window.game = this;
            this.s = 0;
            setTimeout(() => this.onopen(), 0);
        }
        close() {}
        send(text) {
            const frame = JSON.parse(text);
            const hello = {t: "hello", session: "S", epoch: "E", resumed: false, next: 1, token: "T"};
            if (frame.t === "attach") this.say(hello);
            else if (frame.line !== undefined) this.say({t: "done", c: frame.c});
        }
        say(frame) { this.onmessage({data: JSON.stringify(frame)}); }
        lines(count) {
            for (let n = 0; n < count; n += 1) {
                const text = `Line ${this.s += 1}: somebody does something that takes a few words to tell.`;
                this.say({s: this.s, t: "line", kind: "say", text, spans: [["Somebody", "player"], [text, null]]});
            }
        }
        async flood(count) {
            for (let n = 0; n < count; n += 250) {
                this.lines(250);
                await new Promise(requestAnimationFrame);
            }
        }
    };
"""
#: Milliseconds from a key to the frame that shows its letter.
LATENCY: Final = """
    window.waits = [];
    addEventListener("keydown", (event) => requestAnimationFrame(() => setTimeout(() =>
        window.waits.push(performance.now() - event.timeStamp), 0)), {capture: true});
"""


def _used(page: Page, session: CDPSession) -> dict[str, float]:
    """Heap in bytes and nodes of the page, when what it let go of is collected."""
    for _ in range(3):
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")
        session.send("HeapProfiler.collectGarbage")
    found: dict[str, Any] = session.send("Performance.getMetrics")
    return {one["name"]: one["value"] for one in found["metrics"]}


def test_a_long_log_costs_nothing_more(page: Page) -> None:
    """After 50,000 lines memory is what it was after 10,000, and a letter typed is seen within 50 ms."""
    page.add_init_script(FLOOD)
    serve_client(page)
    grant = {"token": "a.b.c", "refresh": "r", "session": "S", "name": "Guest7"}
    page.route("**/api/v1/guest", lambda route: route.fulfill(status=200, json=grant))
    page.goto("http://client.test/play")
    page.get_by_role("button", name="Play as a guest").click()
    page.get_by_text("Connected", exact=True).wait_for()
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.evaluate("window.game.flood(10_000)")
    before = _used(page, session)
    page.evaluate("window.game.flood(40_000)")
    after = _used(page, session)
    assert page.locator(".log p").count() == 5000
    # 40,000 lines that are not let go of are 160,000 nodes
    assert after["Nodes"] < before["Nodes"] + 40_000
    assert after["JSHeapUsedSize"] < before["JSHeapUsedSize"] + 3_000_000
    assert page.locator(".newer").is_hidden()
    page.evaluate(LATENCY)
    page.evaluate("void setInterval(() => window.game.lines(5), 50)")
    page.get_by_label("Command").focus()
    for _ in range(40):
        page.keyboard.press("a")
    assert page.locator(".log").evaluate("(log) => log.scrollHeight - log.scrollTop - log.clientHeight") < 8
    waits = page.evaluate("window.waits")
    assert len(waits) >= 39 and median(waits) <= 50, waits


def test_something_is_seen_at_once(page: Page, house: Server) -> None:
    """From the request over loopback to the first words at most 300 ms: the best of five, as other work disturbs."""
    times = []
    for _ in range(5):
        page.goto(house.url("/play"))
        page.get_by_role("button", name="Play as a guest").wait_for()
        page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        times += page.evaluate("performance.getEntriesByName('first-contentful-paint').map((one) => one.startTime)")
    assert min(times) <= 300, times
