"""Leaving, keeping, and the account: quit, save, register, password."""

from __future__ import annotations

from collections.abc import Callable

from mythos.errors import Refusal
from mythos.play import names
from mythos.play.call import Call
from mythos.play.leaving import GRACE
from mythos.play.verbs import Verb

__all__ = ["VERBS"]


def _quit(call: Call) -> None:
    last = "Goodbye, guest. Nothing of you stays here." if call.me.account is None else "Goodbye. The lamps stay lit."
    call.reply(last)
    call.leaving = True


def _save(call: Call) -> None:
    call.realm.save()  # the reply waits, like all words, until that is on disk
    if call.me.account is None:
        call.reply("Saved, for as long as you stay. A guest who leaves is gone: register <name> keeps you.")
    else:
        call.reply("Saved. You need not: everything you do is kept by itself.")


def _register(call: Call) -> None:
    if call.me.account is not None:
        raise Refusal("You have an account already.")
    if not call.rest:
        raise Refusal("Which name? Type: register <name>")
    name = names.check(call.rest)

    def chosen(call: Call, password: str) -> None:
        call.start(call.realm.register(call.session, name, password))

    _ask_twice(call, f"A password for {name}?", chosen)


def _password(call: Call) -> None:
    if call.me.account is None:
        raise Refusal("A guest has no password. Type: register <name>")

    def known(call: Call, old: str) -> None:
        def chosen(call: Call, new: str) -> None:
            call.start(call.realm.change_password(call.session, old, new))

        _ask_twice(call, "Your new password?", chosen)

    call.ask("Your password as it is now?", known, secret=True)


def _delete(call: Call) -> None:
    if call.me.account is None:
        raise Refusal("A guest who leaves is gone: type quit.")
    days = round(GRACE / 86_400.0)
    call.reply(
        f"Your account, your character and all it holds will be gone for good in {days} days. Until then you keep all"
        " of it by coming back: log in as always. Your password deletes it, an empty line does not."
    )

    def known(call: Call, password: str) -> None:
        if not password:
            raise Refusal("Nothing is deleted.")
        call.start(call.realm.delete_account(call.session, password))

    call.ask("Your password?", known, secret=True)


def _export(call: Call) -> None:
    if call.me.account is None:
        raise Refusal("Nothing of a guest is kept.")
    call.start(call.realm.tell_kept(call.session))


def _ask_twice(call: Call, question: str, then: Callable[[Call, str], None]) -> None:
    """Ask for a new password, and again; two that differ change nothing."""

    def first(call: Call, password: str) -> None:
        if not password:
            raise Refusal("No password, nothing changed.")

        def second(call: Call, again: str) -> None:
            if again != password:
                raise Refusal("Those two were not the same. Nothing is changed.")
            then(call, password)

        call.ask("The same again, please:", second, secret=True)

    call.ask(question, first, secret=True)


VERBS = (
    Verb(
        "register",
        _register,
        ("register <name>",),
        "Make an account of your guest, under a name and a password of your own.",
        "self",
        more="You stay where you are, with all you carry. The password is asked twice and shown to nobody.",
        see=("password", "quit"),
        cost=5.0,
    ),
    Verb("password", _password, ("password",), "Change your password.", "self", see=("register",), cost=5.0),
    Verb(
        "delete",
        _delete,
        ("delete",),
        "Delete your account, your character and all that is kept on you.",
        "self",
        more="It asks for your password. For two weeks you can come back as if nothing had happened; then all is gone.",
        see=("export", "quit"),
        cost=5.0,
    ),
    Verb(
        "export",
        _export,
        ("export",),
        "Show all that is kept on you.",
        "self",
        more="As a file: from GET /api/v1/me/export, or from the keepers of this world.",
        see=("delete",),
        cost=20.0,
    ),
    Verb("save", _save, ("save",), "Put your character on disk now.", "self", see=("quit",), cost=5.0),
    Verb(
        "quit",
        _quit,
        ("quit",),
        "Leave the game. What you carry is kept for your return, unless you are a guest.",
        "self",
        see=("save", "register"),
    ),
)
