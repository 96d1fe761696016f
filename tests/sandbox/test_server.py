"""The sandbox over HTTP: envelopes and statuses as recorded, and books that outlive the process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.odoo.connect import connect
from libs.odoo.errors import OdooOutcomeUnknown, OdooUnavailable
from libs.odoo.jsonrpc import JsonRpcOdoo
from sandbox.engine import Sandbox
from sandbox.seed import bootstrap
from sandbox.server import SandboxServer

ROOT = Path(__file__).parents[2]
ENTRY = {"move_type": "entry", "ref": "kept", "line_ids": []}


def _sandbox(version: int = 18, path: str = ":memory:") -> Sandbox:
    sandbox = Sandbox(path, lambda: datetime(2026, 11, 22, 12, tzinfo=UTC), version)
    bootstrap(sandbox)
    return sandbox


@pytest.fixture(params=[18, 19])
def served(request: pytest.FixtureRequest) -> Iterator[tuple[int, str]]:
    sandbox = _sandbox(request.param)
    sandbox.add_api_key("concord", "key-of-concord")
    with SandboxServer(sandbox) as server:
        yield request.param, server.url
    sandbox.close()


def _rpc(url: str, service: str, method: str, *args: Any) -> dict[str, Any]:
    params = {"service": service, "method": method, "args": list(args)}
    body = {"jsonrpc": "2.0", "method": "call", "id": 7, "params": params}
    answer = httpx.post(f"{url}/jsonrpc", json=body)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    return dict(answer.json())


def test_the_version_is_told_without_a_login(served: tuple[int, str]) -> None:
    version, url = served
    facts = {
        "server_version": f"{version}.0",
        "server_version_info": [version, 0, 0, "final", 0, ""],
        "server_serie": f"{version}.0",
        "protocol_version": 1,
    }
    assert _rpc(url, "common", "version") == {"jsonrpc": "2.0", "id": 7, "result": facts}
    answer = httpx.post(f"{url}/web/webclient/version_info", json={"jsonrpc": "2.0", "id": 1, "params": {}})
    assert answer.json()["result"] == facts


@pytest.mark.parametrize("method", ["login", "authenticate"])
def test_a_wrong_login_is_false_and_no_error(served: tuple[int, str], method: str) -> None:
    _, url = served
    rest: list[Any] = [{}] if method == "authenticate" else []
    right = _rpc(url, "common", method, "sandbox", "concord", "concord", *rest)["result"]
    assert isinstance(right, int)
    for login, password in (("concord", "wrong"), ("nobody", "concord"), ("concord", "")):
        assert _rpc(url, "common", method, "sandbox", login, password, *rest)["result"] is False
    assert _rpc(url, "common", method, "sandbox", "concord", "key-of-concord", *rest)["result"] == right


FAILURES = [
    (
        ("object", "execute_kw", "sandbox", 3, "wrong", "res.partner", "search_count", [[]]),
        "odoo.exceptions.AccessDenied",
    ),
    (("object", "execute_kw", "sandbox", 99, "x", "res.partner", "search_count", [[]]), "odoo.exceptions.MissingError"),
    (("object", "execute_kw", "nodb", 3, "concord", "res.partner", "search_count", [[]]), "psycopg2.OperationalError"),
    (("object", "execute_kw", "sandbox", 3, "concord", "no.such", "search_count", [[]]), "odoo.exceptions.UserError"),
    (("object", "execute_kw", "sandbox", 3, "concord", "res.partner", "nosuch", []), "builtins.AttributeError"),
    (("object", "execute_kw", "sandbox", 3, "concord", "res.partner", "_x", []), "odoo.exceptions.AccessError"),
    (("object", "execute_kw", "sandbox", 3, "concord", "res.partner", "write", [[1]]), "builtins.TypeError"),
    (("common", "authenticate", "nodb", "concord", "concord", {}), "psycopg2.OperationalError"),
    (("nosuch", "x"), "builtins.KeyError"),
]


@pytest.mark.parametrize("call, name", FAILURES, ids=[f"{row[0][0]}-{row[1]}-{n}" for n, row in enumerate(FAILURES)])
def test_a_failure_is_an_envelope_of_status_200(served: tuple[int, str], call: tuple[Any, ...], name: str) -> None:
    version, url = served
    error = _rpc(url, *call)["error"]
    assert error["code"] == (200 if version == 18 else 0)
    assert error["message"] == "Odoo Server Error"
    assert error["data"]["name"] == name
    assert set(error["data"]) == {"name", "debug", "message", "arguments", "context"}


def test_a_method_without_a_result_answers_null(served: tuple[int, str]) -> None:
    _, url = served
    call = (
        "object",
        "execute_kw",
        "sandbox",
        3,
        "concord",
        "account.bank.statement.line",
        "action_undo_reconciliation",
    )
    assert _rpc(url, *call, [[]]) == {"jsonrpc": "2.0", "id": 7, "result": None}


def test_malformed_json_is_a_page_of_status_400(served: tuple[int, str]) -> None:
    _, url = served
    answer = httpx.post(f"{url}/jsonrpc", content=b"not json", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.text) == (400, "Invalid JSON data")


def test_a_web_session_opens_by_password_and_is_needed(served: tuple[int, str]) -> None:
    _, url = served
    call = {"model": "res.partner", "method": "search_count", "args": [[]], "kwargs": {}}
    with httpx.Client(base_url=url) as client:
        expired = client.post("/web/dataset/call_kw", json={"id": 1, "params": call}).json()
        assert (expired["id"], expired["error"]["code"]) == (None, 100)
        assert expired["error"]["data"]["name"] == "odoo.http.SessionExpiredException"
        login = {"db": "sandbox", "login": "concord", "password": "wrong"}
        denied = client.post("/web/session/authenticate", json={"id": 1, "params": login}).json()
        assert denied["error"]["data"]["name"] == "odoo.exceptions.AccessDenied"
        login["password"] = "concord"
        opened = client.post("/web/session/authenticate", json={"id": 1, "params": login}).json()["result"]
        assert opened["db"] == "sandbox"
        assert client.post("/web/dataset/call_kw", json={"id": 1, "params": call}).json()["result"] > 0


@pytest.fixture
def by_json2() -> Iterator[httpx.Client]:
    sandbox = _sandbox(19)
    sandbox.add_api_key("concord", "key-of-concord")
    headers = {"authorization": "bearer key-of-concord"}
    with SandboxServer(sandbox) as server, httpx.Client(base_url=f"{server.url}/json/2", headers=headers) as client:
        yield client
    sandbox.close()


STATUSES: list[tuple[str, dict[str, Any], int, str]] = [
    ("res.partner/search_count", {"domain": []}, 200, ""),
    ("account.move/read", {"ids": [999], "fields": ["name"]}, 200, ""),
    ("no.such.model/search_count", {"domain": []}, 404, "werkzeug.exceptions.NotFound"),
    ("res.partner/no_such_method", {}, 404, "werkzeug.exceptions.NotFound"),
    ("res.partner/_compute", {"ids": [1]}, 403, "odoo.exceptions.AccessError"),
    ("res.partner/create", {"vals_list": [{"name": "x"}]}, 403, "odoo.exceptions.AccessError"),
    ("res.partner/search_count", {"nosuch": 1}, 422, "werkzeug.exceptions.UnprocessableEntity"),
    ("account.move/create", {"ids": [1], "vals_list": []}, 422, "werkzeug.exceptions.UnprocessableEntity"),
    ("account.move/create", {"vals_list": [{"state": "posted"}]}, 422, "odoo.exceptions.UserError"),
    ("account.move/create", {"vals_list": [{"nosuch": 1}]}, 500, "builtins.ValueError"),
    ("account.move/action_post", {"ids": [999]}, 404, "odoo.exceptions.MissingError"),
    ("res.partner", {}, 404, "werkzeug.exceptions.NotFound"),
]


@pytest.mark.parametrize("path, body, status, name", STATUSES)
def test_json2_answers_with_a_status_that_means_something(
    by_json2: httpx.Client, path: str, body: dict[str, Any], status: int, name: str
) -> None:
    answer = by_json2.post(path, json=body)
    assert answer.status_code == status
    if name:
        assert answer.json()["name"] == name
        assert set(answer.json()) == {"name", "message", "arguments", "context", "debug"}


@pytest.mark.parametrize(
    "headers, status",
    [
        ({"authorization": "bearer wrong"}, 401),
        ({"authorization": "Basic YWRtaW46YWRtaW4="}, 401),
        ({"x-odoo-database": "nodb"}, 404),
        ({"x-odoo-database": "sandbox"}, 200),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_json2_wants_a_key_a_database_that_is_there_and_json(
    by_json2: httpx.Client, headers: dict[str, str], status: int
) -> None:
    answer = by_json2.post("res.partner/search_count", json={"domain": []}, headers=headers)
    assert answer.status_code == status


def test_json2_is_not_there_before_19() -> None:
    sandbox = _sandbox(18)
    with SandboxServer(sandbox) as server:
        answer = httpx.post(f"{server.url}/json/2/res.partner/search_count", json={"domain": []})
    assert answer.status_code == 404
    sandbox.close()


def test_lost_replies_and_outages_can_be_ordered_where_they_are_allowed() -> None:
    sandbox = _sandbox()
    with SandboxServer(sandbox, with_faults=True) as server:
        odoo = JsonRpcOdoo(server.url, "sandbox", "concord", "concord")
        assert odoo.execute("account.move", "search_count", [[]]) == 0
        httpx.post(f"{server.url}/sandbox/faults", json={"lose_replies": 1})
        with pytest.raises(OdooOutcomeUnknown):
            odoo.execute("account.move", "create", [ENTRY])
        assert odoo.execute("account.move", "search_count", [[]]) == 1  # it was made all the same
        httpx.post(f"{server.url}/sandbox/faults", json={"unavailable": True})
        with pytest.raises(OdooOutcomeUnknown):  # a 503 may come after the work was done
            odoo.execute("account.move", "search_count", [[]])
        httpx.post(f"{server.url}/sandbox/faults", json={"unavailable": False})
        assert odoo.execute("account.move", "search_count", [[]]) == 1
    sandbox.close()


def test_nobody_can_order_faults_where_they_are_not_allowed(served: tuple[int, str]) -> None:
    _, url = served
    assert httpx.post(f"{url}/sandbox/faults", json={"unavailable": True}).status_code == 404
    assert _rpc(url, "common", "version")["result"]


def _start(data: Path) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "sandbox", "--data", str(data), "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["url"]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_the_books_outlive_the_process_however_it_ends(tmp_path: Path, ending: signal.Signals) -> None:
    data = tmp_path / "odoo.db"
    process, url = _start(data)
    odoo = connect(url, "sandbox", "concord", "concord")
    made = odoo.execute("account.move", "create", [ENTRY])
    process.send_signal(ending)
    assert process.wait(10) == (0 if ending == signal.SIGTERM else -signal.SIGKILL)
    assert process.stdout is not None
    process.stdout.close()
    with pytest.raises(OdooUnavailable):
        odoo.execute("account.move", "search_count", [[]])
    process, url = _start(data)
    again = connect(url, "sandbox", "concord", "concord")
    assert again.execute("account.move", "read", [[made], ["ref"]]) == [{"id": made, "ref": "kept"}]
    process.terminate()
    assert process.wait(10) == 0
    assert process.stdout is not None
    process.stdout.close()


def test_books_of_one_version_are_not_opened_as_another(tmp_path: Path) -> None:
    path = str(tmp_path / "odoo.db")
    _sandbox(18, path).close()
    with pytest.raises(ValueError, match="of Odoo 18"):
        _sandbox(19, path)
