"""Parameters of the gateway's methods, each with the sentence its client gets if it is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mythos.net.gateway.events import now_text
from mythos.wire.jsonrpc import Code, RpcError

__all__ = ["NAME", "a_flag", "a_name", "a_number", "a_text", "a_time", "an_object", "the_target", "the_words"]

#: Longest name of anything, in characters.
NAME: Final = 128


def a_text(params: Mapping[str, Any], name: str, default: str = "", longest: int = NAME) -> str:
    value = params.get(name)
    if value is None:
        return default
    if type(value) is not str:
        raise RpcError(Code.PARAMS, f"{name} is a string.")
    if len(value) > longest:
        raise RpcError(Code.PARAMS, f"{name} is longer than {longest} characters.")
    return value


def a_name(params: Mapping[str, Any], name: str, default: str = "") -> str:
    """A name: on one line, without control characters, and there."""
    value = params.get(name)
    if type(value) is not str or len(value) > NAME:
        value = a_text(params, name, default)
    value = value.strip()
    if not value or not value.isprintable():
        raise RpcError(Code.PARAMS, f"{name} is a name of printable characters.")
    return value


def a_number(params: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    value = params.get(name, default)
    if value is None:
        value = default
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise RpcError(Code.PARAMS, f"{name} is a number from {low:g} to {high:g}.")
    return float(value)


def a_flag(params: Mapping[str, Any], name: str) -> bool:
    value = params.get(name, False)
    if value is not None and type(value) is not bool:
        raise RpcError(Code.PARAMS, f"{name} is true or false.")
    return bool(value)


def an_object(params: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = params.get(name)
    if value is None:
        return {}
    if type(value) is not dict:
        raise RpcError(Code.PARAMS, f"{name} is an object.")
    return value


def the_words(params: Mapping[str, Any], longest: int, *names: str) -> str:
    """What is said, under the first of these names that is there: clients call it by one or the other."""
    for name in names:
        if params.get(name) is not None:
            words = a_text(params, name, longest=longest)
            if not words or words.isspace():
                raise RpcError(Code.PARAMS, f"{name} is empty.")
            return words
    raise RpcError(Code.PARAMS, f"Missing required parameters: {names[0]}")


def the_target(params: Mapping[str, Any]) -> str:
    if params.get("target_user") is None and params.get("username") is not None:
        return a_name(params, "username")
    if params.get("target_user") is None:
        raise RpcError(Code.PARAMS, "Missing required parameters: target_user")
    return a_name(params, "target_user")


def a_time(params: Mapping[str, Any], name: str, default: float) -> float:
    """A unix second, or a time as events give it."""
    value = params.get(name)
    if value is None:
        return default
    try:
        return float(value) if type(value) in (int, float) else _read_time(value)
    except (OverflowError, TypeError, ValueError):
        raise RpcError(Code.PARAMS, f"{name} is a unix second, or a time such as {now_text(0)}.") from None


def _read_time(value: str) -> float:
    found = datetime.fromisoformat(value)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
