"""What the OpenAPI document says beyond the routes: the key, the problems, the one route outside FastAPI. Data only."""

from typing import Any

from fastapi import FastAPI

from api.permissions import OPEN
from api.routes.notifications import RECEIVED_PATH
from api.sessions import COOKIE, CSRF_HEADER

_TEXT = {"type": "string"}
PROBLEM: dict[str, Any] = {
    "description": "RFC 9457 problem, in the language of Accept-Language (zh-CN or en)",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail"],
                "properties": {
                    "type": _TEXT,
                    "title": _TEXT,
                    "status": {"type": "integer"},
                    "detail": _TEXT,
                    "refusal": {"type": "string", "description": "409 of an act: why it was refused"},
                    "errors": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["pointer", "code", "message"],
                            "properties": {
                                "pointer": {"type": "string", "description": "#/field, ?parameter or a header's name"},
                                "code": _TEXT,
                                "message": _TEXT,
                            },
                        },
                    },
                },
            }
        }
    },
}
_RECEIVED: dict[str, Any] = {
    "tags": ["notifications"],
    "summary": "The client of the recipient has this app message",
    "parameters": [{"name": "id", "in": "path", "required": True, "schema": _TEXT}],
    "responses": {"204": {"description": "Recorded"}, "4XX": PROBLEM},
}


_SCHEMES: dict[str, Any] = {
    "key": {"type": "http", "scheme": "bearer"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": f"From POST sessions; whatever changes something also sends its csrf_token as {CSRF_HEADER}",
    },
}


def install(app: FastAPI) -> None:
    """Complete the document when it is first asked for."""
    plain = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            document["paths"][RECEIVED_PATH] = {"post": _RECEIVED}
            document.setdefault("components", {})["securitySchemes"] = _SCHEMES
            document["security"] = [{"key": []}, {"session": []}]
            for route in OPEN:
                method, path = route.split(" ")
                operation = document["paths"].get(path, {}).get(method.lower())
                if operation is not None:
                    operation["security"] = []
        assert app.openapi_schema is not None, "FastAPI keeps what it made"
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]
