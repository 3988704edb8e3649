"""What ``/api/openapi.json`` says; a test asks the server for everything in it."""

from __future__ import annotations

from typing import Any

__all__ = ["DOCUMENT"]

_TEXT = {"type": "string"}
_GRANT = {
    "type": "object",
    "properties": {"token": _TEXT, "refresh": _TEXT, "session": _TEXT, "name": _TEXT},
    "required": ["token", "refresh", "session", "name"],
}
_ERROR = {
    "type": "object",
    "properties": {
        "error": {"type": "object", "properties": {"code": _TEXT, "message": _TEXT}, "required": ["code", "message"]}
    },
    "required": ["error"],
}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


def _response(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _operation(
    summary: str, body: dict[str, Any] | None, answer: dict[str, Any], *, bearer: bool, status: str = "200"
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": summary,
        "responses": {status: _response("Done", answer), "default": _response("What went wrong", _ERROR)},
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if bearer:
        operation["security"] = [{"bearer": []}]
    return operation


def _post(
    summary: str, body: dict[str, Any] | None, answer: dict[str, Any], *, bearer: bool, status: str = "200"
) -> Any:
    return {"post": _operation(summary, body, answer, bearer=bearer, status=status)}


def _get(summary: str, answer: dict[str, Any]) -> Any:
    return {
        "get": {"summary": summary, "responses": {"200": _response("Done", answer), "503": _response("Not", answer)}}
    }


_REFUSED = {"401": _response("Who asks?", _ERROR), "403": _response("Not for you", _ERROR)}
_NUMBER = {"type": "number"}
_SPACE = _object(
    entries=_NUMBER, bytes=_NUMBER, hits=_NUMBER, shared=_NUMBER, misses=_NUMBER, hit_rate=_NUMBER, evictions=_NUMBER,
    expired=_NUMBER, dropped=_NUMBER,
)  # fmt: skip
_CACHE = _object(namespaces={"type": "object"}, total=_SPACE, room=_NUMBER, shared={"type": "boolean"})

_CREDENTIALS = _object(name=_TEXT, password=_TEXT)
_ME = _object(name=_TEXT, session=_TEXT, guest={"type": "boolean"}, keeper={"type": "boolean"})
_GOES = _object(deleted_at=_TEXT)
_STATUS = {"type": "object", "properties": {"status": _TEXT}, "required": ["status"]}

_RATIOS = {"type": "object"}
_SCALE = _object(ratios=_RATIOS, thresholds=_RATIOS, advice=_TEXT, because={"type": "array", "items": _TEXT})

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Mythos", "version": "1", "description": "Logins, tickets, commands and health."},
    "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    "paths": {
        "/api/v1/guest": _post(
            "Play as a guest", {"type": "object", "properties": {"name": _TEXT}}, _GRANT, bearer=False
        ),
        "/api/v1/register": _post("A new account", _CREDENTIALS, _GRANT, bearer=False),
        "/api/v1/login": _post("Log in", _CREDENTIALS, _GRANT, bearer=False),
        "/api/v1/claim": _post(
            "Become the first keeper", _object(code=_TEXT, name=_TEXT, password=_TEXT), _GRANT, bearer=False
        ),
        "/api/v1/refresh": _post("New tokens for old", _object(refresh=_TEXT), _GRANT, bearer=False),
        "/api/v1/logout": _post("End the session and all its tokens", None, {"type": "object"}, bearer=True),
        "/api/v1/me": {
            "get": _operation("Who shows the token", None, _ME, bearer=True),
            "delete": _operation("Delete one's account, after a grace", _object(password=_TEXT), _GOES, bearer=True),
        },
        "/api/v1/me/export": {"get": _operation("All that is kept on one", None, {"type": "object"}, bearer=True)},
        "/api/v1/me/password": _post(
            "A new password, and tokens for those of before", _object(old=_TEXT, new=_TEXT), _GRANT, bearer=True
        ),
        "/api/v1/ticket": _post("A ticket for GET /sse", None, _object(ticket=_TEXT), bearer=True),
        "/api/v1/commands": _post(
            "A command of the second road",
            {"type": "object", "properties": {"c": {"type": "integer"}, "line": _TEXT, "a": {"type": "integer"}}},
            {"type": "object", "properties": {"c": {"type": "integer"}}},
            bearer=True,
            status="202",
        ),
        "/api/v1/control": _post(
            "What an operator orders, over HTTPS with a token of mythosctl token create",
            _object(do=_TEXT),
            {"type": "object", "properties": {"ok": {"type": "boolean"}, "error": _TEXT}, "required": ["ok"]},
            bearer=True,
        ),
        "/api/v1/nodes/scale": {
            "get": {
                "summary": "How much of the server is in use; for keepers, and for whoever is on its machine",
                "responses": {"200": _response("Done", _SCALE), **_REFUSED},
                "security": [{"bearer": []}],
            }
        },
        "/api/v1/admin/cache": {
            "get": {
                "summary": "What is cached; for keepers, operators with a token, and whoever is on its machine",
                "responses": {"200": _response("Done", _CACHE), **_REFUSED},
                "security": [{"bearer": []}],
            }
        },
        "/api/v1/admin/cache/{space}": {
            "delete": {
                "summary": "Forget a namespace of the cache; for keepers, and operators with a token",
                "parameters": [{"name": "space", "in": "path", "required": True, "schema": _TEXT}],
                "responses": {"200": _response("Done", _object(name=_TEXT, cleared=_NUMBER)), **_REFUSED},
                "security": [{"bearer": []}],
            }
        },
        "/health": _get("How the server is", _STATUS),
        "/health/detailed": _get("How each part is", _STATUS),
        "/health/live": _get("Whether it runs", _STATUS),
        "/health/ready": _get("Whether it takes players", _STATUS),
    },
}
