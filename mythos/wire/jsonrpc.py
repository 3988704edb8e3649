"""JSON-RPC 2.0 (https://www.jsonrpc.org/specification): requests in, responses and notifications out, as bytes of JSON.

Positional parameters are refused: every method here takes them by name. ``params`` that are absent or null are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from mythos.errors import WireError

__all__ = ["BATCH", "Code", "Id", "Request", "RpcError", "decode", "error", "join", "notification", "result"]

#: Most requests of one batch.
BATCH: Final = 50

_encode: Final = msgspec.json.Encoder().encode

#: What a request is called by its client: given back as it came. None: an error about what had none.
Id = int | str | None


class Code:
    """Codes of errors: those of the specification, and from -32000 on those of this service."""

    PARSE: Final = -32700
    INVALID: Final = -32600
    METHOD: Final = -32601
    PARAMS: Final = -32602
    INTERNAL: Final = -32603
    NOT_AUTHENTICATED: Final = -32000
    RATE: Final = -32001
    PERMISSION: Final = -32002
    SESSION: Final = -32003
    GATEWAY: Final = -32004


class RpcError(WireError):
    """What a request is answered with instead of a result.

    :ivar id: of the request, as far as it could be read
    """

    def __init__(self, code: int, message: str, id: Id = None) -> None:
        super().__init__(message)
        self.code = code
        self.id = id


class Request(Struct, frozen=True):
    """:ivar answered: False for a notification, which gets no response, not even an error"""

    method: str
    params: Mapping[str, Any]
    id: Id = None
    answered: bool = True


class _Request(Struct):
    jsonrpc: str
    method: str
    params: dict[str, Any] | None = None
    id: int | str | UnsetType | None = UNSET


_decode: Final = msgspec.json.Decoder(_Request).decode
_decode_any: Final = msgspec.json.Decoder().decode


def decode(data: bytes) -> list[Request | RpcError] | Request:
    """One request, or a batch of them, in which each that is no good stands as its error.

    :raises RpcError: it is not JSON, no request, or an empty or too large batch
    """
    try:
        return _checked(_decode(data))
    except (msgspec.ValidationError, RpcError):
        pass
    except (ValueError, RecursionError) as wrong:  # msgspec.DecodeError and UnicodeDecodeError are ValueErrors
        raise RpcError(Code.PARSE, f"Invalid JSON: {wrong}") from None
    try:
        value = _decode_any(data)
    except (ValueError, RecursionError) as wrong:
        raise RpcError(Code.PARSE, f"Invalid JSON: {wrong}") from None
    if type(value) is not list:
        return _request(value)
    if not 0 < len(value) <= BATCH:
        raise RpcError(Code.INVALID, f"A batch has 1 to {BATCH} requests.")
    return [_one(item) for item in value]


def _one(value: Any) -> Request | RpcError:
    try:
        return _request(value)
    except RpcError as wrong:
        return wrong


def _request(value: Any) -> Request:
    """Member by member, to say what is wrong."""
    if type(value) is not dict:
        raise RpcError(Code.INVALID, "A request is an object.")
    id = value.get("id")
    known = id if type(id) in (int, str) else None
    if "id" in value and id is not None and known is None:
        raise RpcError(Code.INVALID, "id is a string or an integer.")
    if value.get("jsonrpc") != "2.0":
        raise RpcError(Code.INVALID, 'jsonrpc must be "2.0".', known)
    method, params = value.get("method"), value.get("params")
    if type(method) is not str or not method:
        raise RpcError(Code.INVALID, "method is the name of a method.", known)
    if params is not None and type(params) is not dict:
        raise RpcError(Code.PARAMS, "params is an object: parameters are given by name.", known)
    return _checked(_Request("2.0", method, params, id if "id" in value else UNSET))


def _checked(request: _Request) -> Request:
    id = request.id
    known = None if id is UNSET else id
    if request.jsonrpc != "2.0":
        raise RpcError(Code.INVALID, 'jsonrpc must be "2.0".', known)
    if not request.method or request.method.startswith("rpc."):
        raise RpcError(Code.INVALID, "Names of methods that begin with rpc. are reserved.", known)
    return Request(request.method, request.params or {}, known, id is not UNSET)


def result(id: Id, value: Any) -> bytes:
    """A response."""
    return _encode({"jsonrpc": "2.0", "id": id, "result": value})


def error(wrong: RpcError) -> bytes:
    """A response that is none; ``id`` is there, if only as null: client libraries know responses by it."""
    return _encode({"jsonrpc": "2.0", "id": wrong.id, "error": {"code": wrong.code, "message": str(wrong)}})


def notification(method: str, params: Mapping[str, Any]) -> bytes:
    """An event: it has no ``id``."""
    return _encode({"jsonrpc": "2.0", "method": method, "params": params})


def join(responses: list[bytes]) -> bytes:
    """The responses of a batch, as one message."""
    return b"[" + b",".join(responses) + b"]"
