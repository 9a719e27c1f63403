"""The bare ASGI application: one answer, made before the first request."""

from typing import Any

from inventory.bench.baselines import given

_headers, _body = given()
_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(name.lower().encode(), value.encode()) for name, value in _headers.items()],
}
_BODY = {"type": "http.response.body", "body": _body}


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer."""
    await send(_START)
    await send(_BODY)
