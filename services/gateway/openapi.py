"""The OpenAPI 3.1 description of what `http.py` serves. The tests compare it with real answers."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from providers import PROVIDERS

_ID = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._~-]{0,254}$"}
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "reason"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "reason": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]*$", "description": "Stable; branch on it."},
        "position": {"type": "string", "description": "Where in the body the fault is."},
    },
    "additionalProperties": False,
}
_RECEIPT = {
    "type": "object",
    "required": ["delivery", "transaction_id"],
    "properties": {
        "delivery": {"type": "string", "description": "sources/{provider}/accounts/{account}/deliveries/{delivery}"},
        "transaction_id": {
            "type": "string",
            "pattern": "^[0-9a-f]{32}$",
            "description": "Also the trace id. A repeated delivery gets the first one's.",
        },
    },
    "additionalProperties": False,
}
_PROBLEMS: dict[str, str] = {
    "400": "The body or its length is not what it must be; the delivery is not kept.",
    "401": "The sender is not proved: SIGNATURE_MISSING, SIGNATURE_INVALID, SIGNATURE_STALE, TOKEN_….",
    "403": "The token's roles do not allow it.",
    "404": "No such source or route.",
    "405": "Another method is needed.",
    "408": "The head or the body did not come in time.",
    "413": "The body is larger than allowed.",
    "415": "The body is encoded, or a file of no known kind.",
    "429": "The partner's own limit; see Retry-After.",
    "431": "The head, or a chunk's frame or trailer, is larger than allowed.",
    "503": "Cannot be stored now; send it again after Retry-After.",
    "507": "No room on the disk; send it again after Retry-After.",
}


@cache
def openapi() -> bytes:
    """The document as JSON."""
    return json.dumps(document()).encode()


def document() -> dict[str, Any]:
    """The document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Concord gateway",
            "version": "1.0.0",
            "description": "Where partners' deliveries come in. A 202 says that the bytes are durable.",
        },
        "paths": {
            "/webhooks/{provider}/{account}": {"post": _webhook()},
            "/files/{account}": {"post": _file()},
            "/healthz": {"get": _get("Whether deliveries can be stored.", _status())},
            "/openapi.json": {"get": _get("This document.", {"type": "object"})},
        },
        "components": {
            "schemas": {"Problem": _PROBLEM, "Receipt": _RECEIPT},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                **{
                    name: {"type": "apiKey", "in": "header", "name": registration.signature_header}
                    for name, registration in PROVIDERS.items()
                },
            },
        },
    }


def _webhook() -> dict[str, Any]:
    return {
        "operationId": "receiveWebhook",
        "summary": "A provider's signed delivery.",
        "parameters": [_path("provider"), _path("account")],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "security": [{name: []} for name in PROVIDERS],
        "responses": _accepted(["400", "401", "404", "405", "408", "413", "415", "429", "431", "503", "507"]),
    }


def _file() -> dict[str, Any]:
    binary = {"schema": {"type": "string", "contentEncoding": "binary"}}
    return {
        "operationId": "uploadFile",
        "summary": "A bank statement (camt.053) or a provider's settlement report, known by its content.",
        "parameters": [
            _path("account"),
            {"name": "X-File-Name", "in": "header", "schema": {"type": "string"}, "description": "For people."},
        ],
        "requestBody": {
            "required": True,
            "content": {"application/xml": binary, "text/csv": binary, "application/octet-stream": binary},
        },
        "security": [{"token": []}],
        "responses": _accepted(["400", "401", "403", "404", "405", "408", "413", "415", "429", "431", "503", "507"]),
    }


def _accepted(statuses: list[str]) -> dict[str, Any]:
    receipt = {"application/json": {"schema": {"$ref": "#/components/schemas/Receipt"}}}
    repeated = {"description": "`true` for a repeat of a known delivery.", "schema": {"type": "string"}}
    accepted = {"description": "Durable.", "headers": {"Concord-Duplicate": repeated}, "content": receipt}
    return {"202": accepted, **_problems(statuses)}


def _get(summary: str, schema: dict[str, Any]) -> dict[str, Any]:
    answer = {"description": summary, "content": {"application/json": {"schema": schema}}}
    return {
        "summary": summary,
        "security": [],
        "responses": {"200": answer, **_problems(["400", "405", "408", "431", "503"])},
    }


def _status() -> dict[str, Any]:
    return {"type": "object", "required": ["status"], "properties": {"status": {"const": "ok"}}}


def _problems(statuses: list[str]) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _PROBLEMS[status], "content": content} for status in statuses}


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _ID}
