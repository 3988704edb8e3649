"""``mythosctl status``, ``health``, ``top``, ``who``, ``session``, ``logs``, ``metrics``, ``memory``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from mythos.ctl.numbers import Numbers, bytes_text, seconds_text
from mythos.ctl.remote import FAILED, SPAN, Remote, asking, pause

__all__ = ["COMMANDS"]

#: Seconds between two looks at a log that is followed.
_FOLLOW = 0.5


@click.command()
@asking
def status(remote: Remote) -> None:
    """Say how the server is. Exit 1 if it takes no players."""
    answer = remote.ask("status")
    remote.show(answer, *_status(answer))
    if answer["status"] == "unhealthy":
        raise SystemExit(FAILED)


@click.command()
@asking
def health(remote: Remote) -> None:
    """Say how each part of the server is. Exit 1 if it takes no players."""
    answer = remote.ask("status")
    about = {name: answer[name] for name in ("status", "uptime_s", "connections", "database", "checks")}
    about |= {"state": answer["state"]} if "state" in answer else {}
    rows = [(name, check["status"], check["message"] or "-") for name, check in answer["checks"].items()]
    state = f" ({answer['state']})" if "state" in answer else ""
    lines = remote.rows(("part", "is", "message"), rows, "{part} is {is}: {message}")
    remote.show(about, f"{answer['status']}{state}", *lines)
    if answer["status"] == "unhealthy":
        raise SystemExit(FAILED)


def _status(answer: Mapping[str, Any]) -> list[str]:
    world = ["no world here: a gateway to other MUDs"]
    if "world" in answer:
        doors = ", ".join(f"{count} by {door}" for door, count in answer["doors"].items())
        world = [
            f"world: {answer['world']}, {answer['rooms']} rooms",
            f"players: {answer['players']}" + (f" ({doors})" if doors else ""),
        ]
    ports = ", ".join(f"{name} {port}" for name, port in answer["ports"].items())
    wrong = [f"{name}: {check['message']}" for name, check in answer["checks"].items() if check["message"]]
    state = f" ({answer['state']})" if "state" in answer else ""
    return [
        f"{answer['status']}{state}: Mythos {answer['version']}, up {answer['uptime_s']:.0f} s",
        *world,
        f"ports: {ports}",
        *wrong,
    ]


@click.command()
@asking
@click.option("--every", type=SPAN, default="2s", help="Look again after so long; 2s.")
def top(remote: Remote, every: float) -> None:
    """Show how it goes, again and again. Who plays, how fast, and what waits; once with --json or --plain."""
    if every < 0.1:
        raise click.UsageError("--every is 0.1 seconds at least")
    state, before = remote.ask("status"), Numbers()
    numbers = _numbers(remote)
    if remote.as_json or remote.plain:
        remote.show(
            {"status": state, "numbers": numbers.summary(before, state["uptime_s"])},
            *_status(state),
            *_top(numbers, before, state["uptime_s"]),
        )
        return
    seconds = state["uptime_s"]
    try:
        while True:
            lines = [*_status(state), "", *_top(numbers, before, seconds), "", "Ctrl-C ends this."]
            sys.stdout.write("\x1b[H" + "".join(f"{line[:79]}\x1b[K\n" for line in lines) + "\x1b[J")
            sys.stdout.flush()
            pause(every)
            up = state["uptime_s"]
            state, before, numbers = remote.ask("status"), numbers, _numbers(remote)
            seconds = state["uptime_s"] - up
            if seconds <= 0:  # it was started again
                before, seconds = Numbers(), state["uptime_s"]
    except KeyboardInterrupt:
        return


def _numbers(remote: Remote) -> Numbers:
    return Numbers.read(remote.ask("metrics")["text"])


def _top(numbers: Numbers, before: Numbers, seconds: float) -> list[str]:
    found = numbers.summary(before, seconds)
    return [
        f"commands: {found['commands_per_s']:.1f} a second, p50 {found['command_p50']}, p99 {found['command_p99']}",
        f"messages: {found['messages_per_s']:.1f} a second",
        f"tick: p99 {found['tick_p99']}; commit: p99 {found['commit_p99']}; reactor lag: p99 {found['lag_p99']}",
        f"waiting: {found['sessions_waiting']:.0f} sessions with commands, {found['words_waiting']:.0f} words",
        f"memory: {bytes_text(found['memory_bytes'])}; processor: {found['cpu_percent']:.0f} %",
        f"errors: {found['errors']:.0f}; faults: {found['faults']:.0f}",
        *[f"Intermud-3 as {mud}: {'up' if up else 'down'}" for mud, up in found["i3"].items()],
    ]


@click.command()
@asking
def who(remote: Remote) -> None:
    """List who plays, with their rooms and doors."""
    answer = remote.ask("who")
    rows = [
        (one["name"], one["room"], ", ".join(one["doors"]) or "link-dead", f"{one['idle_s']} s")
        for one in answer["players"]
    ]
    lines = remote.rows(("name", "room", "doors", "idle"), rows, "{name} in {room}: {doors}, idle {idle}")
    remote.show(answer, *lines or ["Nobody plays."])


@click.command()
@asking
@click.argument("name")
def session(remote: Remote, name: str) -> None:
    """Show one session. By a player's NAME, or by the first letters of its id."""
    answer = remote.ask("session", name=name)
    kind = "a keeper" if answer["keeper"] else "a guest" if answer["guest"] else "a player"
    doors = ", ".join(answer["doors"]) or "link-dead"
    cursors = [
        f"  {one['door']}: sent up to {one['sent']}, acknowledged up to {one['acked']}"
        + ("" if one["attached"] else ", gone")
        for one in answer["cursors"]
    ]
    remote.show(
        answer,
        f"{answer['name']}, {kind} ({answer['character']}), {answer['standing']} in {answer['room']}",
        f"session: {answer['session']}, {seconds_text(answer['age_s'])} old, idle {seconds_text(answer['idle_s'])}",
        f"doors: {doors}",
        f"log: epoch {answer['epoch']}, at {answer['head']},"
        f" {answer['kept']} kept ({bytes_text(answer['kept_bytes'])})",
        *cursors,
        f"commands: the next is {answer['next_c']}, {answer['waiting']} wait",
    )


@click.command()
@asking
@click.option("--follow", "-f", is_flag=True, help="Go on with what is logged from now on.")
@click.option("--lines", "-n", type=click.IntRange(0, 2000), default=50, help="So many of the last lines; 50.")
@click.option("--grep", "--player", "words", default="", help="Only what holds these words, such as a player's name.")
def logs(remote: Remote, follow: bool, lines: int, words: str) -> None:
    """Print the last lines of the server's log, as it writes them."""
    if follow and remote.as_json:
        raise click.UsageError("--json is one answer: it does not go with --follow")
    answer = remote.ask("logs", most=lines, words=words)
    if answer["lines"] or not follow:
        remote.show(answer, *answer["lines"] or ["The log has no such line."])
    try:
        while follow:
            since = answer["last"]
            pause(_FOLLOW)
            answer = remote.ask("logs", most=2000, words=words, since=since)
            if answer["last"] < since:  # it was started again
                answer = remote.ask("logs", most=2000, words=words)
            if answer["left_out"]:
                click.echo(f"{answer['left_out']} lines came too fast to be kept.", err=True)
            if answer["lines"]:
                click.echo("\n".join(answer["lines"]))
    except KeyboardInterrupt:
        return


@click.command()
@asking
@click.argument("name", default="")
def metrics(remote: Remote, name: str) -> None:
    """Print the server's numbers. All, or those whose name begins with NAME."""
    found = [one for one in _numbers(remote) if one[0].startswith(name)]
    lines = []
    for metric, labels, value in found:
        said = ", ".join(f"{label} {text}" for label, text in labels.items())
        lines.append(f"{metric}{f' ({said})' if said else ''}: {value:.15g}")
    remote.show({"numbers": found}, *lines or ["There is no such number."])
    if not lines:
        raise SystemExit(FAILED)


@click.command()
@asking
@click.option("--types", is_flag=True, help="Count objects by type, too; the server stands still for a moment.")
def memory(remote: Remote, types: bool) -> None:
    """Count what the server holds in memory."""
    answer = remote.ask("memory", types=types)
    counted = [
        f"{name.replace('_', ' ').removesuffix(' bytes')}: "
        + (
            bytes_text(value)
            if name.endswith("_bytes")
            else ", ".join(map(str, value))
            if isinstance(value, list)
            else str(value)
        )
        for name, value in answer.items()
        if name != "types"
    ]
    remote.show(answer, *counted, *[f"  {kind}: {count}" for kind, count in answer.get("types", {}).items()])


COMMANDS = (status, health, top, who, session, logs, metrics, memory)
