"""Requests of JSON-RPC 2.0, one and many, good and not, and what they are answered with."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.wire import jsonrpc
from mythos.wire.jsonrpc import BATCH, Code, Id, Request, RpcError
from tests.strategies import json_values

PING = {"jsonrpc": "2.0", "method": "ping"}


def decoded(value: Any) -> Any:
    return jsonrpc.decode(json.dumps(value).encode())


def refused(data: bytes) -> RpcError:
    with pytest.raises(RpcError) as caught:
        jsonrpc.decode(data)
    return caught.value


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ({**PING, "id": 7}, Request("ping", {}, 7)),
        ({**PING, "id": "seven"}, Request("ping", {}, "seven")),
        ({**PING, "id": ""}, Request("ping", {}, "")),
        ({**PING, "id": 0}, Request("ping", {}, 0)),
        ({**PING, "id": -(2**80)}, Request("ping", {}, -(2**80))),
        ({**PING, "id": None}, Request("ping", {})),
        (PING, Request("ping", {}, answered=False)),
        ({**PING, "id": 1, "params": None}, Request("ping", {}, 1)),
        ({**PING, "id": 1, "params": {"a": [1, None]}, "more": []}, Request("ping", {"a": [1, None]}, 1)),
        ({**PING, "method": "rpc", "id": 1}, Request("rpc", {}, 1)),
    ],
)
def test_request(written: Any, read: Request) -> None:
    """With an id of either kind, or none; parameters that are absent or null are none."""
    assert decoded(written) == read


@pytest.mark.parametrize(
    ("written", "code", "id"),
    [
        (None, Code.INVALID, None),
        (True, Code.INVALID, None),
        ("ping", Code.INVALID, None),
        ({}, Code.INVALID, None),
        ({"id": 3}, Code.INVALID, 3),
        ({**PING, "jsonrpc": "1.0", "id": 3}, Code.INVALID, 3),
        ({**PING, "jsonrpc": 2.0, "id": "x"}, Code.INVALID, "x"),
        ({"jsonrpc": "2.0", "id": 3}, Code.INVALID, 3),
        ({**PING, "method": "", "id": 3}, Code.INVALID, 3),
        ({**PING, "method": ["ping"], "id": 3}, Code.INVALID, 3),
        ({**PING, "method": "rpc.ping", "id": 3}, Code.INVALID, 3),
        ({**PING, "id": [3]}, Code.INVALID, None),
        ({**PING, "id": True}, Code.INVALID, None),
        ({**PING, "id": 3.5}, Code.INVALID, None),
        ({**PING, "id": {"id": 3}}, Code.INVALID, None),
        ({**PING, "params": [1], "id": "x"}, Code.PARAMS, "x"),
        ({**PING, "params": "a", "id": 3}, Code.PARAMS, 3),
        ({**PING, "params": 0, "id": 3}, Code.PARAMS, 3),
        ([], Code.INVALID, None),
        ([PING] * (BATCH + 1), Code.INVALID, None),
    ],
)
def test_refused(written: Any, code: int, id: Id) -> None:
    """What is no request has its code, and its id as far as it can be read."""
    wrong = refused(json.dumps(written).encode())
    assert (wrong.code, wrong.id) == (code, id)


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b" ",
        b"{",
        b'{"jsonrpc":"2.0","method":"ping"}}',
        b'{"jsonrpc":"2.0","method":"ping"}{"jsonrpc":"2.0","method":"ping"}',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe",
        b'{"jsonrpc":"2.0","method":"p\xff","id":1}',
        b'{"jsonrpc":"2.0","method":"ping","id":1,"params":{"a":"\xc3("}}',
        rb'{"jsonrpc":"2.0","method":"ping","id":1,"params":{"a":"\ud800"}}',
        rb'{"jsonrpc":"2.0","method":"ping","id":1,"params":{"a":"\udc00\ud800 and more"}}',
        b'{"jsonrpc":"2.0","method":"ping","id":1,"params":{"a":NaN}}',
        b'{"jsonrpc":"2.0","method":"ping","id":1,"params":{"a":1e999}}',
        b'{"jsonrpc":"2.0","method":"ping","id":1e999}',
        b'{"jsonrpc":"2.0","method":"ping","id":1,"params":{"a":' + b"9" * 60_000 + b"}}",
        b"[" * 30_000,
        b"[" * 30_000 + b"]" * 30_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"jsonrpc":"2.0","method":"ping","id":1,"params":{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}}",
        b"[1,",
    ],
)
def test_no_json(written: bytes) -> None:
    """What is no JSON, or none that Python holds, is a parse error without an id."""
    wrong = refused(written)
    assert (wrong.code, wrong.id) == (Code.PARSE, None)
    assert len(str(wrong)) < 200


def test_batch() -> None:
    """Each of a batch is read by itself: one that is no good stands in its place as its error."""
    found = decoded([{**PING, "id": 1}, 5, PING, {**PING, "id": "x", "params": [1]}, [{**PING, "id": 2}]])
    assert found[0] == Request("ping", {}, 1)
    assert found[2] == Request("ping", {}, answered=False)
    assert [(type(one), one.code, one.id) for one in (found[1], found[3], found[4])] == [
        (RpcError, Code.INVALID, None),
        (RpcError, Code.PARAMS, "x"),
        (RpcError, Code.INVALID, None),
    ]
    assert len(decoded([PING] * BATCH)) == BATCH


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    """Any bytes are read or refused, in no other way."""
    try:
        found = jsonrpc.decode(data)
    except RpcError as wrong:
        assert json.loads(jsonrpc.error(wrong))["id"] == wrong.id
    else:
        assert isinstance(found, Request | list)


@given(st.dictionaries(st.sampled_from(["jsonrpc", "method", "params", "id"]), json_values | st.just("2.0")))
def test_any_members(value: Any) -> None:
    """Any members are a request or an error, and what answers it names its id."""
    try:
        found = decoded(value)
    except RpcError as wrong:
        assert wrong.id is None or wrong.id == value["id"]
    else:
        assert isinstance(found, Request)
        assert found.answered == ("id" in value)
        assert json.loads(jsonrpc.result(found.id, value)) == {"jsonrpc": "2.0", "id": value.get("id"), "result": value}


@given(
    st.text().filter(lambda name: name and not name.startswith("rpc.")),
    st.dictionaries(st.text(), json_values),
    st.integers(-(2**70), 2**70) | st.text(),
)
def test_round_trip(method: str, params: dict[str, Any], id: int | str) -> None:
    """A request that another library writes is read as it was meant."""
    assert decoded({"jsonrpc": "2.0", "id": id, "method": method, "params": params}) == Request(method, params, id)


def test_responses() -> None:
    """A response always has an id, if only null; an event never: clients know one from the other by it."""
    assert json.loads(jsonrpc.result("x", {"a": 1})) == {"jsonrpc": "2.0", "id": "x", "result": {"a": 1}}
    assert json.loads(jsonrpc.error(RpcError(Code.PARSE, 'No "JSON".'))) == {
        "jsonrpc": "2.0",
        "id": None,
        "error": {"code": -32700, "message": 'No "JSON".'},
    }
    assert json.loads(jsonrpc.notification("tick", {"n": 1})) == {
        "jsonrpc": "2.0",
        "method": "tick",
        "params": {"n": 1},
    }
    assert json.loads(jsonrpc.join([jsonrpc.result(1, None), jsonrpc.result(2, [])])) == [
        {"jsonrpc": "2.0", "id": 1, "result": None},
        {"jsonrpc": "2.0", "id": 2, "result": []},
    ]


@given(json_values)
def test_one_line(value: Any) -> None:
    """No message holds a line end: on the TCP road it ends a message."""
    for message in (jsonrpc.result(1, value), jsonrpc.notification("m", {"value": value})):
        assert b"\n" not in message
        assert b"\r" not in message
        json.loads(message)
