"""The two adapters: what a broken exchange means, and that no secret leaves but to Odoo."""

from __future__ import annotations

import logging
import socket
import threading
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from libs.odoo.address import Address, BadAddress
from libs.odoo.connect import connect, server_version
from libs.odoo.errors import (
    OdooConflict,
    OdooDenied,
    OdooError,
    OdooMalformed,
    OdooMissing,
    OdooOutcomeUnknown,
    OdooRefused,
    OdooUnavailable,
)
from libs.odoo.json2 import Json2Odoo
from libs.odoo.jsonrpc import JsonRpcOdoo
from tests.odoo.wire import Answer, failure, json_answer, logged_in, page, result, serving

SECRET = "correct-horse-battery-staple"
Adapter = JsonRpcOdoo | Json2Odoo


def _by_jsonrpc(url: str, timeout_seconds: float = 5.0) -> JsonRpcOdoo:
    return JsonRpcOdoo(url, "books", "concord", SECRET, timeout_seconds=timeout_seconds)


def _by_json2(url: str, timeout_seconds: float = 5.0) -> Json2Odoo:
    return Json2Odoo(url, "books", SECRET, timeout_seconds=timeout_seconds)


ADAPTERS = pytest.mark.parametrize("adapt", [_by_jsonrpc, _by_json2])


def _post(odoo: Adapter) -> Any:
    return odoo.execute("account.move", "action_post", [[1]])


BROKEN: list[tuple[str, Answer, type[OdooError]]] = [
    ("the connection breaks", None, OdooOutcomeUnknown),
    ("an internal error as a page", page(500), OdooOutcomeUnknown),
    ("a proxy's bad gateway", page(502), OdooOutcomeUnknown),
    ("a proxy's timeout", page(504), OdooOutcomeUnknown),
    ("a page instead of an answer", page(200), OdooOutcomeUnknown),
    ("half an answer", (200, b'{"jsonrpc": "2.0", "res', {"Content-Type": "application/json"}), OdooOutcomeUnknown),
    ("too many requests", page(429), OdooUnavailable),
    ("a proxy that wants another login", page(401), OdooDenied),
    ("a forbidden page", page(403), OdooDenied),
    ("a body too large", page(413), OdooMalformed),
    ("a redirect", page(302, Location="http://127.0.0.1:9/elsewhere"), OdooMalformed),
]


@ADAPTERS
@pytest.mark.parametrize("answer, expected", [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_broken_answer_says_whether_anything_may_have_happened(
    adapt: Callable[[str], Adapter], answer: Answer, expected: type[OdooError]
) -> None:
    with serving(logged_in(lambda path, body: answer)) as url, pytest.raises(expected):
        _post(adapt(url))


@ADAPTERS
def test_nobody_listening_means_that_nothing_happened(adapt: Callable[[str], Adapter]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(OdooUnavailable):
        _post(adapt(url))


@ADAPTERS
def test_a_reply_that_takes_too_long_is_an_unknown_outcome(adapt: Callable[[str, float], Adapter]) -> None:
    done = threading.Event()

    def slow(path: str, body: dict[str, Any]) -> Answer:
        done.wait(60.0)
        return result(False)

    with serving(logged_in(slow)) as url:
        odoo = adapt(url, 0.3)
        with pytest.raises(OdooOutcomeUnknown):
            _post(odoo)
        done.set()


def test_an_outage_after_the_login_is_unavailable_by_jsonrpc() -> None:
    with serving(logged_in(lambda path, body: result(False))) as url:
        odoo = _by_jsonrpc(url)
        assert _post(odoo) is False
    with pytest.raises(OdooUnavailable):
        _post(odoo)


def test_a_login_that_breaks_off_did_nothing_of_ours() -> None:
    with serving(lambda path, body: page(502)) as url, pytest.raises(OdooUnavailable):
        _post(_by_jsonrpc(url))


NAMED: list[tuple[str, type[OdooError]]] = [
    ("odoo.exceptions.UserError", OdooRefused),
    ("odoo.exceptions.MissingError", OdooMissing),
    ("odoo.exceptions.AccessError", OdooDenied),
    ("psycopg2.errors.SerializationFailure", OdooConflict),
    ("builtins.ValueError", OdooMalformed),
]


@pytest.mark.parametrize("name, expected", NAMED)
def test_an_error_of_odoo_keeps_its_class_and_words(name: str, expected: type[OdooError]) -> None:
    with serving(logged_in(lambda path, body: failure(name, "words"))) as url, pytest.raises(expected) as raised:
        _post(_by_jsonrpc(url))
    assert (raised.value.name, raised.value.message) == (name, "words")


@pytest.mark.parametrize("name, expected", NAMED)
@pytest.mark.parametrize("status", [422, 500])
def test_json2_decides_by_the_name_and_not_by_the_status(name: str, expected: type[OdooError], status: int) -> None:
    body = {"name": name, "message": "words", "arguments": [], "context": {}, "debug": ""}
    with serving(lambda path, _: json_answer(body, status)) as url, pytest.raises(expected) as raised:
        _post(_by_json2(url))
    assert (raised.value.name, raised.value.message) == (name, "words")


def test_a_database_that_is_not_there_is_unavailable_by_json2() -> None:
    with serving(lambda path, body: page(404)) as url, pytest.raises(OdooUnavailable):
        _post(_by_json2(url))


def test_arguments_go_by_name_in_json2() -> None:
    seen: list[tuple[str, dict[str, Any]]] = []

    def note(path: str, body: dict[str, Any]) -> Answer:
        seen.append((path, body))
        return json_answer([7])

    with serving(note) as url:
        odoo = _by_json2(url)
        assert odoo.execute("account.move", "create", [{"ref": "a"}]) == 7
        assert odoo.execute("account.move", "create", [[{"ref": "a"}]]) == [7]
        odoo.execute("account.move", "write", [[7], {"ref": "b"}], {"context": {"lang": "en_US"}})
        odoo.execute("account.move", "search_read", [[], ["name"]], {"limit": 2})
        odoo.execute("account.move", "load", [["id"], [["a.b"]]])
        odoo.execute("ir.model.data", "check_object_reference", ["a", "b"])
        odoo.execute("account.move", "some_other_method", [], {"ids": [7]})
    assert seen == [
        ("/json/2/account.move/create", {"vals_list": [{"ref": "a"}]}),
        ("/json/2/account.move/create", {"vals_list": [{"ref": "a"}]}),
        ("/json/2/account.move/write", {"ids": [7], "vals": {"ref": "b"}, "context": {"lang": "en_US"}}),
        ("/json/2/account.move/search_read", {"domain": [], "fields": ["name"], "limit": 2}),
        ("/json/2/account.move/load", {"fields": ["id"], "data": [["a.b"]]}),
        ("/json/2/ir.model.data/check_object_reference", {"module": "a", "xml_id": "b"}),
        ("/json/2/account.move/some_other_method", {"ids": [7]}),
    ]


def test_a_method_whose_arguments_have_no_known_names_is_never_sent() -> None:
    with pytest.raises(OdooMalformed):
        _by_json2("http://127.0.0.1:9").execute("account.move", "some_other_method", [[7]])


def test_each_thread_logs_in_for_itself_by_jsonrpc() -> None:
    logins = []

    def script(path: str, body: dict[str, Any]) -> Answer:
        if body.get("params", {}).get("method") == "login":
            logins.append(threading.current_thread().name)
        return logged_in(lambda *_: result(False))(path, body)

    with serving(script) as url:
        odoo = _by_jsonrpc(url)
        threads = [threading.Thread(target=lambda: [_post(odoo) for _ in range(3)]) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(logins) == 3


def test_a_denied_call_logs_in_anew_the_next_time() -> None:
    """The password may have been rotated while we were logged in."""
    logins, answers = [], [failure("odoo.exceptions.AccessDenied", "Access Denied"), result(False)]

    def script(path: str, body: dict[str, Any]) -> Answer:
        if body.get("params", {}).get("method") == "login":
            logins.append(1)
        return logged_in(lambda *_: answers.pop(0))(path, body)

    with serving(script) as url:
        odoo = _by_jsonrpc(url)
        with pytest.raises(OdooDenied):
            _post(odoo)
        assert _post(odoo) is False
    assert len(logins) == 2


def test_a_wrong_password_is_denied() -> None:
    def script(path: str, body: dict[str, Any]) -> Answer:
        if body.get("params", {}).get("service") == "common":
            return result(False)
        return logged_in(lambda *_: result(None))(path, body)

    with serving(script) as url, pytest.raises(OdooDenied):
        _post(_by_jsonrpc(url))


@ADAPTERS
@pytest.mark.parametrize("answer", [None, page(500), page(401), failure("odoo.exceptions.UserError")])
def test_no_secret_in_representations_errors_tracebacks_or_logs(
    adapt: Callable[[str], Adapter], answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(logged_in(lambda path, body: answer)) as url:
        odoo = adapt(url)
        try:
            _post(odoo)
        except OdooError as error:
            shown = "".join(traceback.format_exception(error)) + repr(error) + error.message
        else:  # JSON-2 takes a JSON-RPC envelope for a result
            shown = ""
    assert SECRET not in shown + repr(odoo) + str(odoo) + caplog.text


@pytest.mark.parametrize(
    "version, api_key, expected",
    [(18, None, JsonRpcOdoo), (18, "key", JsonRpcOdoo), (19, None, JsonRpcOdoo), (19, "key", Json2Odoo)],
)
def test_the_adapter_is_chosen_by_what_the_server_is(
    version: int, api_key: str | None, expected: type[Adapter]
) -> None:
    answer = result({"server_version": f"{version}.0", "server_version_info": [version, 0, 0, "final", 0, ""]})
    with serving(lambda path, body: answer) as url:
        odoo = connect(url, "books", "concord", "password", api_key)
    assert isinstance(odoo, expected)
    assert odoo.version == version


@pytest.mark.parametrize(
    "answer, expected", [(page(503), OdooUnavailable), (page(200), OdooMalformed), (result({}), OdooMalformed)]
)
def test_probing_what_is_no_odoo_says_so(answer: Answer, expected: type[OdooError]) -> None:
    with serving(lambda path, body: answer) as url, pytest.raises(expected):
        server_version(url)


@pytest.mark.parametrize(
    "url",
    ["odoo.example", "ftp://odoo.example", "http://", "http://user:secret@odoo.example", "http://odoo.example/?db=a"],
)
def test_an_address_that_cannot_be_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(BadAddress) as bad:
        Address.of(url)
    assert "secret" not in str(bad.value)


def test_credentials_are_needed() -> None:
    with pytest.raises(ValueError, match="password or an API key"):
        connect("http://127.0.0.1:9", "books", "concord")
