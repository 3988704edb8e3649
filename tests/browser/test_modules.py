"""The client's pure modules, run in the browser they are made for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.visits import CLIENT, SHELF

Run = Callable[[str], Any]


@pytest.fixture
def run(page: Page) -> Iterator[Run]:
    """Run the body of an async function that has all modules in scope, and return what it returns."""

    def evaluate(body: str) -> Any:
        return page.evaluate(
            """async ([body, base]) => {
                const modules = {};
                for (const name of [
                    "history", "resume", "link", "status", "strings", "store", "rules", "completion", "german",
                    "settings", "review", "map",
                ]) {
                    Object.assign(modules, await import(`${base}/${name}.js`));
                }
                const names = Object.keys(modules);
                const make = (async () => {}).constructor;
                return make(...names, body)(...names.map((name) => modules[name]));
            }""",
            [body, f"{SHELF}/static/x/js"],
        )

    # the policy forbids making functions from text, so the modules are tried on a page without it
    page.route(f"{SHELF}/", lambda route: route.fulfill(status=200, content_type="text/html", body="<!doctype html>"))
    page.route(
        f"{SHELF}/static/x/js/*.js",
        lambda route: route.fulfill(
            status=200,
            content_type="text/javascript",
            body=(CLIENT / "js" / route.request.url.rsplit("/", 1)[1]).read_bytes(),
        ),
    )
    page.goto(f"{SHELF}/")
    yield evaluate


def test_history_keeps_the_draft(run: Run) -> None:
    """What was being typed comes back after looking at older commands, as often as one likes."""
    assert run("""
        const history = new History();
        history.add("look"); history.add("north"); history.add("north");
        return [history.older("dra"), history.older("x"), history.older("y"), history.newer(), history.newer(),
                history.newer(), history.older("draft 2"), history.newer()];
    """) == ["north", "look", None, "north", "dra", None, "north", "draft 2"]


def test_history_is_bounded(run: Run) -> None:
    """500 commands are kept, the newest ones."""
    assert run("""
        const history = new History();
        for (let n = 0; n < 600; n += 1) history.add(`c${n}`);
        return [history.lines.length, history.lines[0], history.lines.at(-1)];
    """) == [500, "c100", "c599"]


def test_passwords_behind_the_command_are_secret(run: Run) -> None:
    """A password typed behind its command is neither shown nor kept; the command alone is nothing secret."""
    assert run("""return ["password hunter22 x", "  PASSW a", "password", "say password x", "pass the salt"]
        .map(withoutSecret);""") == ["password •••", "PASSW •••", None, None, None]


def test_inbox_lets_each_record_through_once(run: Run) -> None:
    """Old records are dropped, a hole that was not announced is noticed, one that was is none."""
    assert run("""
        const inbox = new Inbox();
        inbox.hello({session: "S", epoch: "E", resumed: false});
        return [{s: 7, p: 3, t: "line"}, {s: 8, t: "line"}, {s: 8, t: "line"}, {s: 5, t: "state"},
                {s: 10, p: 8, t: "state"}, {s: 12, t: "line"}, {s: 13, p: 11, t: "line"}, {s: 30, t: "gap"},
                {s: 31, t: "line"}].map((record) => inbox.take(record));
    """) == ["new", "new", "old", "old", "new", "hole", "hole", "new", "new"]


def test_outbox_resends_what_is_unanswered_under_its_number(run: Run) -> None:
    """After a cut, what the server took keeps its number; what it never had is numbered from what it expects."""
    assert run("""
        const outbox = new Outbox();
        for (const line of ["a", "b", "c", "d"]) outbox.add(line);
        const flown = () => outbox.due().map(({c, line}) => `${c}${line}`);
        const first = flown();
        outbox.done(1);
        outbox.landed();
        outbox.hello(3);
        return [first, flown(), flown()];
    """) == [["1a", "2b", "3c", "4d"], ["2b", "3c", "4d"], []]


def test_outbox_starts_again_from_an_older_number(run: Run) -> None:
    """A server that fell back (a crash) refuses with gap; the commands are sent anew in their order, once."""
    assert run("""
        const outbox = new Outbox({next: 7});
        outbox.add("a"); outbox.add("b");
        const flown = () => outbox.due().map(({c, line}) => `${c}${line}`);
        const first = flown();
        outbox.refused(7, "gap", 5);
        const held = flown();
        outbox.refused(8, "gap", 5);
        return [first, held, flown()];
    """) == [["7a", "8b"], [], ["5a", "6b"]]


def test_outbox_yields_a_number_that_another_tab_took(run: Run) -> None:
    """Taken is not run: the words go out under the next free number, even if the other's answer came first."""
    assert run("""
        const outbox = new Outbox({next: 7});
        outbox.add("mine");
        outbox.due();
        const answered = outbox.done(7)?.line;
        outbox.refused(7, "taken", 8);
        return [answered, outbox.due().map(({c, line}) => `${c}${line}`)];
    """) == ["mine", ["8mine"]]


def test_outbox_never_keeps_secrets(run: Run) -> None:
    """What is written for a reload has no password in it."""
    assert (
        run("""
        const outbox = new Outbox();
        outbox.add("look"); outbox.add("hunter22", true);
        return JSON.stringify(outbox.saved()).includes("hunter22");
    """)
        is False
    )


def test_outbox_is_bounded(run: Run) -> None:
    """The 65th waiting command is not taken."""
    assert (
        run("""
        const outbox = new Outbox();
        return Array.from({length: 65}, (_, n) => outbox.add(`c${n}`) !== null).filter(Boolean).length;
    """)
        == 64
    )


def test_gauges_are_the_pairs_of_vitals(run: Run) -> None:
    """A value and its maximum make a gauge, health first; low is under a quarter."""
    assert run("""
        return gauges({breath: 5, maxbreath: 5, hp: 9, maxhp: 60, gold: 3, string: "x"})
            .map(({key, low}) => [key, low]);
    """) == [["hp", True], ["breath", False]]


def test_plurals_follow_the_language(run: Run) -> None:
    """One line, two lines; a sentence keeps what it does not know."""
    assert run("""return [say("newLines", {n: 1}), say("newLines", {n: 2}), say("notDone")];""") == [
        "1 new line",
        "2 new lines",
        "Not done: {reason}",
    ]


#: A session on the far side of roads that break at random, and a clock that is turned by hand. What it runs and says is
#: compared with what was typed and shown.
WORLD = r"""
    function dice(seed) {
        return () => {
            seed = (seed + 0x6d2b79f5) | 0;
            let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
            t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
            return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
        };
    }

    async function live(seed, {forgetful = false, steps = 400} = {}) {
        const random = dice(seed);
        let now = 0, timers = [], sent = 0;
        const clock = {
            now: () => now,
            after(ms, work) {
                const timer = {at: now + ms, work};
                timers.push(timer);
                return () => { timers = timers.filter((one) => one !== timer); };
            },
        };
        const wait = (ms) => {
            const end = now + ms;
            for (;;) {
                const due = timers.filter(({at}) => at <= end).sort((a, b) => a.at - b.at)[0];
                if (!due) break;
                timers = timers.filter((one) => one !== due);
                now = due.at;
                due.work();
            }
            now = end;
        };

        // the server: one log, commands run once
        const log = [], run = [], answers = new Map();
        let next = 1, roads = [];
        const emit = (text) => {
            log.push({s: log.length + 1, t: "line", kind: "say", text, spans: [[text, null]]});
            for (const road of roads) pull(road);
        };
        const pull = (road) => {
            while (road.ready && road.at < log.length) road.out.push(log[road.at++]);
        };
        const obey = (road, {c, line}) => {
            if (c > next) return road.out.push({t: "refused", c, error: "gap", expect: next});
            if (c < next) {
                return road.out.push(answers.get(c) === line ? {t: "done", c, dup: true}
                    : {t: "refused", c, error: "taken", expect: next});
            }
            next += 1;
            answers.set(c, line);
            run.push(line);
            emit(line);
            road.out.push({t: "done", c});
        };
        // a road carries frames both ways when it is moved, and may lose all that is on it
        const open = (kind, attach, hooks) => {
            const road = {ready: false, over: false, at: 0, in: [attach], out: [], hooks};
            roads.push(road);
            clock.after(1, () => road.over || hooks.open());
            return {
                send: (frame) => { sent += 1; road.in.push(frame); },
                close: () => { road.over = true; roads = roads.filter((one) => one !== road); },
            };
        };
        const move = (road, most) => {
            for (const frame of road.in.splice(0, most)) {
                if (frame.t === "attach") {
                    const resumed = frame.epoch === "E";
                    road.ready = true;
                    // a careless server, which repeats the last few
                    road.at = Math.max(0, (resumed ? frame.last : 0) - Math.floor(random() * 3));
                    const hello = {t: "hello", session: "S", epoch: "E", missed: 0, reason: null, token: "T"};
                    road.out.push({...hello, resumed, next});
                    pull(road);
                } else if (frame.c) obey(road, frame);
            }
            for (const frame of road.out.splice(0, most)) if (!road.over) road.hooks.frame(frame);
        };
        const cut = (road) => {
            // some of what was sent still arrives, though nobody hears of it
            const late = road.in.splice(0, Math.floor(random() * (road.in.length + 1)));
            if (road.ready) for (const frame of late) if (frame.c) obey(road, frame);
            roads = roads.filter((one) => one !== road);
            road.hooks.lost({code: 1006});
        };

        const shown = [], typed = [];
        let answered = 0, doubled = 0;
        const parts = {
            open, clock, random,
            alive: async () => false,
            renew: async () => { throw {status: 401}; },
            keep: () => {},
            on(event) {
                if (event.type === "record") shown.push(event.record.text);
                if (event.type === "answered") answered += 1;
            },
        };
        let link = new Link(parts);
        link.start({token: "J", refresh: "R"});
        for (let step = 0; step < steps; step += 1) {
            const chance = random();
            if (chance < 0.25) {
                const line = `line ${typed.length}`;
                if (link.submit(line)) typed.push(line);
            } else if (chance < 0.35) emit(`news ${step}`);
            else if (chance < 0.43 && roads.length) cut(roads.at(-1));
            else if (chance < 0.45) {
                const saved = JSON.parse(JSON.stringify(link.saved()));  // a reload
                for (const road of roads) road.over = true;
                roads = []; timers = [];
                if (forgetful) saved.inbox.last = Math.max(0, saved.inbox.last - 2);
                link = new Link(parts, saved);
                link.start();
            } else if (roads.length) move(roads.at(-1), 1 + Math.floor(random() * 4));
            wait(random() * 300);
        }
        for (let calm = 0; calm < 300; calm += 1) {
            for (const road of [...roads]) move(road, 50);
            wait(100);
        }
        return {
            typed: typed.length, answered, sent, state: link.state,
            once: JSON.stringify(run) === JSON.stringify(typed),
            whole: JSON.stringify(shown) === JSON.stringify(log.map(({text}) => text)),
        };
    }
"""


def test_any_cuts_lose_and_repeat_nothing(run: Run) -> None:
    """However the link breaks, each command runs once in order, and each line is shown once in order."""
    results = run(
        WORLD + "const all = []; for (let seed = 1; seed <= 60; seed += 1) all.push(await live(seed)); return all;"
    )
    assert all(result["once"] and result["whole"] for result in results), results
    assert all(result["state"] == "live" and result["answered"] == result["typed"] for result in results), results
    assert sum(result["sent"] for result in results) > sum(result["typed"] for result in results), "nothing was resent"


def test_a_client_that_forgets_its_place_is_caught(run: Run) -> None:
    """The control of the test above: a place that is two records too old after a reload shows lines twice."""
    results = run(
        WORLD
        + "const all = []; for (let seed = 1; seed <= 5; seed += 1) all.push(await live(seed, {forgetful: true}));"
        "return all;"
    )
    assert not all(result["whole"] for result in results)


#: A link whose roads a test opens, feeds and breaks by hand.
BENCH = r"""
    function bench({answers = true, renew} = {}) {
        let now = 0, timers = [];
        const events = [], roads = [];
        const clock = {
            now: () => now,
            after(ms, work) {
                const timer = {at: now + ms, work};
                timers.push(timer);
                return () => { timers = timers.filter((one) => one !== timer); };
            },
        };
        const link = new Link({
            open(kind, attach, hooks) {
                const road = {kind, attach, hooks, sent: [], over: false};
                roads.push(road);
                return {send: (frame) => road.sent.push(frame), close: () => { road.over = true; }};
            },
            alive: async () => answers,
            renew: renew ?? (async () => { throw {status: 401}; }),
            clock, random: () => 1, keep() {}, on: (event) => events.push(event),
        });
        return {
            link, events, roads,
            get now() { return now; },
            async wait(ms) {
                const end = now + ms;
                for (;;) {
                    await null; await null; await null;
                    const due = timers.filter(({at}) => at <= end).sort((a, b) => a.at - b.at)[0];
                    if (!due) break;
                    timers = timers.filter((one) => one !== due);
                    now = due.at;
                    due.work();
                }
                now = end;
            },
            greet(more = {}) {
                const {hooks} = roads.at(-1);
                hooks.open();
                hooks.frame({t: "hello", session: "S", epoch: "E", resumed: false, missed: 0, reason: "new",
                             next: 1, token: "T", ...more});
            },
        };
    }
"""


def test_a_silent_link_is_asked_and_given_up(run: Run) -> None:
    """Half open: after 15 s of silence it is asked, 25 s after the last word a new road is on its way at the latest."""
    assert run(
        BENCH
        + """
        const {link, roads, wait, greet, ...rest} = bench();
        link.start({token: "J", refresh: "R"});
        greet();
        await wait(14_000);
        const before = roads[0].sent.length;
        await wait(3000);
        const asked = roads[0].sent.map(({c}) => c === PROBE);
        roads[0].hooks.frame({t: "refused", c: PROBE, error: "gap", expect: 1});
        await wait(14_000);
        const answered = [link.state, roads.length];
        await wait(11_500);
        return [before, asked, answered, roads[0].over, roads.length];
    """
    ) == [0, [True], ["live", 1], True, 2]


def test_a_waiting_command_is_missed_sooner(run: Run) -> None:
    """With a command on its way, 13 s of silence are enough, and the command goes out again."""
    assert run(
        BENCH
        + """
        const {link, roads, wait, greet} = bench();
        link.start({token: "J", refresh: "R"});
        greet();
        link.submit("look");
        await wait(15_000);
        greet({resumed: true, next: 2});
        return [roads.length, roads[1].sent];
    """
    ) == [2, [{"c": 1, "line": "look"}]]


def test_two_failed_sockets_lead_to_the_second_road(run: Run) -> None:
    """WebSocket is given up only if the server answers otherwise: else it is simply down."""
    body = (
        BENCH
        + """
        const {link, roads, wait} = bench({answers: ANSWERS});
        link.start({token: "J", refresh: "R"});
        for (let n = 0; n < 4; n += 1) {
            roads.at(-1).hooks.lost({code: 1006});
            await wait(10_000 * (n > 1) + 1000 * 2 ** n);
        }
        return roads.slice(0, 4).map(({kind}) => kind);
    """
    )
    assert run(body.replace("ANSWERS", "true"))[:3] == ["websocket", "websocket", "sse"]
    assert run(body.replace("ANSWERS", "false")) == ["websocket"] * 4


def test_backoff_doubles_to_ten_seconds(run: Run) -> None:
    """Between tries the longest wait is 0.5, 1, 2, 4, 8, 10, 10 s."""
    assert run(
        BENCH
        + """
        const the = bench({answers: false});
        the.link.start({token: "J", refresh: "R"});
        the.greet();
        await the.wait(6000);
        const waits = [];
        for (let n = 0; n < 7; n += 1) {
            const at = the.now, count = the.roads.length;
            the.roads.at(-1).hooks.lost({code: 1006});
            while (the.roads.length === count) await the.wait(100);
            waits.push((the.now - at) / 1000);
        }
        return waits;
    """
    ) == [0.5, 1, 2, 4, 8, 10, 10]


def test_a_refused_token_is_renewed_once(run: Run) -> None:
    """The refresh token is tried before the player has to log in; the place in the history stays."""
    assert run(
        BENCH
        + """
        const the = bench({renew: async (refresh) => ({token: "J2", refresh: refresh + "2"})});
        the.link.start({token: "J", refresh: "R"});
        the.greet();
        the.roads[0].hooks.frame({s: 5, p: 4, t: "line", text: "x"});
        the.roads[0].hooks.lost({code: 1006});
        await the.wait(2000);
        the.roads[1].hooks.open();
        the.roads[1].hooks.frame({t: "error", error: "token", message: ""});
        await the.wait(10);
        the.roads[2].hooks.frame({t: "error", error: "token", message: ""});
        await the.wait(10);
        const ended = the.events.find(({type}) => type === "ended");
        return [the.roads[1].attach.token, the.roads[2].attach, ended.why];
    """
    ) == ["T", {"t": "attach", "token": "J2", "epoch": "E", "last": 5}, "denied"]


def test_records_are_acknowledged(run: Run) -> None:
    """After a second, sooner after 32 records, and along with a command; never twice."""
    assert run(
        BENCH
        + """
        const {link, roads, wait, greet} = bench();
        link.start({token: "J", refresh: "R"});
        greet();
        const records = (from, to) => {
            for (let s = from; s <= to; s += 1) roads[0].hooks.frame({s, t: "line", text: `${s}`});
        };
        records(1, 3);
        await wait(1500);
        records(4, 40);
        link.submit("look");
        await wait(2000);
        return roads[0].sent;
    """
    ) == [{"a": 3}, {"a": 35}, {"c": 1, "line": "look", "a": 40}]


def test_another_session_gets_no_old_commands(run: Run) -> None:
    """What was sent to a session that is gone is reported as unsure; what never left is sent."""
    assert run(
        BENCH
        + """
        const the = bench();
        the.link.start({token: "J", refresh: "R"});
        the.greet();
        the.link.submit("sent");
        the.roads[0].hooks.lost({code: 1006});
        the.link.submit("typed later");
        await the.wait(2000);
        the.greet({session: "S2"});
        const unsure = the.events.filter(({type, error}) => type === "answered" && error === "unsure");
        return [unsure.map(({entry}) => entry.line), the.roads[1].sent];
    """
    ) == [["sent"], [{"c": 1, "line": "typed later"}]]


def test_a_goodbye_is_final(run: Run) -> None:
    """After quit nothing comes back by itself; after a takeover one may go on. A close without a reason is a cut."""
    assert run(
        BENCH
        + """
        const why = [];
        for (const [code, reason] of [[1000, "quit"], [4001, "r"], [4008, "r"], [1000, ""]]) {
            const the = bench();
            the.link.start({token: "J", refresh: "R"});
            the.greet();
            the.roads[0].hooks.lost({code, reason});
            await the.wait(3000);
            why.push([the.events.find(({type}) => type === "ended")?.why ?? null, the.roads.length]);
        }
        return why;
    """
    ) == [["bye", 1], ["taken", 1], [None, 2], [None, 2]]


def test_a_pattern_finds_words(run: Run) -> None:
    """Plain words anywhere, capitals or not; each star is what stands between."""
    assert run("""
        return [["hello", "Ann says, HELLO"], ["* tells you, *", "Bob tells you, meet me"], ["a*b", "b a"],
                ["*", "all of it"], ["(x", "is (x) text"], ["* gives *", "Ann gives"]]
            .map(([one, line]) => find(one, line));
    """) == [[], ["Bob", "meet me"], None, ["all of it"], [], None]


def test_a_pattern_of_stars_takes_no_time(run: Run) -> None:
    """What would keep a regular expression busy for years is done at once."""
    assert run("""
        const start = performance.now();
        const found = find("a*".repeat(99) + "b", "a".repeat(4000));
        return [found, performance.now() - start < 100];
    """) == [None, True]


def test_an_alias_stands_for_commands(run: Run) -> None:
    """Words behind it go where it says; an alias in an alias is a plain word."""
    assert run("""
        const rules = new Rules(readRules({aliases: [
            {name: "gg", does: "get %1\\ngive %1 to %2"}, {name: "s", does: "say %*"}, {name: "x", does: "x"},
        ]}));
        return ["gg lamp bob", "S hello  there", "x", "look"].map((line) => rules.expand(line));
    """) == [["get lamp", "give lamp to bob"], ["say hello  there"], ["x"], ["look"]]


def test_words_of_others_are_no_commands(run: Run) -> None:
    """A semicolon in what a star stands for would begin another command."""
    assert run("""
        const rules = new Rules(readRules({triggers: [{match: "* says, *", does: "say %1 said %2", mark: true}]}));
        return rules.hear("Eve says, hi; give all to eve", 0);
    """) == {
        "mark": True, "hide": False, "call": False, "send": ["say Eve said hi, give all to eve"], "over": False,
    }  # fmt: skip


def test_triggers_that_run_in_a_circle_stop(run: Run) -> None:
    """After 30 commands in ten seconds nothing is sent until the rules are saved again; slower ones go on."""
    assert run("""
        const set = readRules({
            triggers: [{match: "you say", does: "say again"}], timers: [{every: 5, does: "look", on: true}],
        });
        const fast = new Rules(set, 0);
        const sent = Array.from({length: 40}, (_, n) => fast.hear("You say, again", n));
        const slow = new Rules(set, 0);
        const sober = Array.from({length: 100}, (_, n) => slow.hear("You say, again", n * 1000).send.length);
        const stopped = fast.tick(60_000).send;
        fast.use(set, 60_000);
        return [sent.filter(({send}) => send.length).length, sent.filter(({over}) => over).length, stopped,
                sober.every((count) => count === 1), fast.hear("you say", 60_001).send, fast.tick(65_000).send];
    """) == [30, 1, [], True, ["say again"], ["look"]]


def test_rules_of_another_shape_are_refused(run: Run) -> None:
    """The error says where; what is not asked for does not come through."""
    assert run("""
        const why = (data) => {
            try { readRules(data); } catch ({code, at}) { return [code, at.kind, at.place, at.field]; }
        };
        return [why([]), why({aliases: 7}), why({aliases: [{name: "a b", does: "x"}]}),
                why({timers: [{every: 1, does: "x"}]}), why({macros: [{label: "x", key: "Enter", does: "x"}]}),
                why({aliases: [{name: "a", does: "x"}, {name: "A", does: "y"}]}),
                why({triggers: Array(101).fill({match: "x"})}), why({aliases: [{name: "a", does: "x\\n".repeat(21)}]}),
                readRules({aliases: [{name: " a ", does: "x", evil: 1}], more: 2})];
    """) == [
        ["wrongFile", None, None, None],
        ["wrongFile", "aliases", None, None],
        ["wrong_word", "aliases", 0, "name"],
        ["wrong_seconds", "timers", 0, "every"],
        ["wrong_key", "macros", 0, "key"],
        ["wrong_twice", "aliases", 1, "name"],
        ["wrongCount", "triggers", None, None],
        ["wrong_does", "aliases", 0, "does"],
        {"aliases": [{"name": "a", "does": "x"}], "triggers": [], "macros": [], "timers": []},
    ]


def test_words_that_fit(run: Run) -> None:
    """The first word is a command or an exit, another one is what is here; a word that is whole is left alone."""
    assert run("""
        const known = {first: ["look", "lock", "north", "look"], other: ["lamp", "Bob", "north"]};
        return [offers("lo", known).words, offers("get LA", known), offers("look", known).words,
                offers("", known).words, offers("tell b", known).words, common(["look", "Lock"]), common([])];
    """) == [["look", "lock"], {"from": 4, "words": ["lamp"]}, [], [], ["Bob"], "lo", ""]


def test_german_says_all_that_english_says(run: Run) -> None:
    """The same keys, the same blanks to fill in, and hardly a text left as it was."""
    missing, blanks, same = run("""
        const holes = (text) => JSON.stringify(text.match(/\\{\\w+\\}/g) ?? []);
        const texts = (value) => typeof value === "string" ? [value] : Object.values(value);
        const keys = Object.keys(ENGLISH);
        const differ = keys.filter((key) => key in GERMAN && texts(ENGLISH[key]).some((text, n) =>
            [...holes(text)].sort().join() !== [...holes(texts(GERMAN[key])[n] ?? "")].sort().join()));
        return [[...keys.filter((key) => !(key in GERMAN)), ...Object.keys(GERMAN).filter((key) => !(key in ENGLISH))],
                differ, keys.filter((key) => JSON.stringify(ENGLISH[key]) === JSON.stringify(GERMAN[key]))];
    """)
    assert (missing, blanks) == ([], [])
    assert set(same) <= {
        "title", "titleIn", "name", "code", "mana", "goldLabel", "count", "wayTo", "size_normal",
        "language_en", "language_de", "tone",
    }  # fmt: skip


def test_settings_are_what_may_be_chosen(run: Run) -> None:
    """Anything else is as it was before it was chosen; sound and notifications are off."""
    before, chosen = run(
        """return [readSettings(null), readSettings({theme: "light", sound: "yes", volume: 1000, x: 1})];"""
    )
    assert before == {
        "theme": "system", "size": "normal", "language": "system", "notify": False, "sound": False, "volume": 50,
        "reader": False, "hearMoves": "sound", "hearTalk": "speak", "hearChannels": "speak", "hearCombat": "speak",
    }  # fmt: skip
    assert chosen == before | {"theme": "light"}


def test_review_goes_through_buffers(run: Run) -> None:
    """Line after line from the newest, in the buffer chosen; new lines do not move the place; it is bounded."""
    assert run("""
        const review = new Review();
        const said = [review.step(-1)];
        for (const [kind, text] of [["room", "a"], ["tell", "b"], ["say", "c"]]) review.add({kind, text});
        said.push(review.step(-1), review.step(-1), review.step(1), review.step(1));
        review.add({kind: "combat", text: "d"});
        said.push(review.step(1), review.turn(1), review.step(-1), review.turn(-1), review.turn(-1), review.step(-1));
        for (let n = 0; n < 600; n += 1) review.add({kind: "tell", text: `t${n}`});
        return [...said, review.turn(1), review.turn(-1), review.step(-1)];
    """) == [
        None, "c", "b", "c", "c", "d", {"name": "room", "count": 1}, "a", {"name": "all", "count": 4},
        {"name": "tells", "count": 1}, "b", {"name": "all", "count": 500}, {"name": "tells", "count": 500}, "t599",
    ]  # fmt: skip


def test_the_map_in_words(run: Run) -> None:
    """Ways to rooms that were seen have their names, others say so; doors too. It is bounded."""
    assert run("""
        const atlas = new Atlas();
        const coord = {x: 0, y: 0, z: 0};
        const quay = {num: 1, name: "Quay", area: "A", coord, exits: {n: 2, in: 3}, doors: {n: "closed"}};
        atlas.see({num: 2, name: "Market", area: "A", coord: {x: 0, y: 1, z: 0}, exits: {s: 1}});
        atlas.see(quay);
        const words = inWords(quay, atlas);
        for (let num = 10; num < 700; num += 1) atlas.see({num, name: "x", area: "B", coord: {x: num, y: 0, z: 0}});
        const last = new Atlas(atlas.saved()).get(699).x;
        return [words, atlas.saved().length, atlas.get(1) ?? null, last, inWords({}, atlas)];
    """) == [["north: Market, door closed", "in: not seen yet"], 500, None, 699, []]
