"""A shop's day through the real suite: books, matches, doubts, and the walk in one trace."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from concord.gateway.v1 import gateway_pb2
from concord.ledger.v1 import ledger_pb2
from concord.masterdata.v1 import masterdata_pb2
from concord.recon.v1 import match_pb2, recon_pb2, recon_pb2_grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from rich.console import Console

from cli.audit import verify
from cli.connection import SERVICES
from cli.demo.company import COMPANY
from cli.demo.day import ACCOUNT, BANK_ACCOUNT
from cli.demo.findings import gather
from cli.demo.play import await_quiet
from cli.demo.report import print_report
from cli.trace import steps_of
from libs.access import EVERYTHING
from libs.odoo.connect import connect
from libs.rpc.identity import issue_token
from tests.flow.conftest import Watched
from tests.rpc.roles import role_matrix
from tests.simulation.day import report

pytestmark = pytest.mark.xdist_group("flow")
ROOT = Path(__file__).resolve().parents[2]
# The business steps of an order that a bank transfer pays, each a span of the transaction's own trace.
WALK = {
    "received", "translated", "forwarded", "ledger.record", "ledger.build", "ledger.post", "matched", "match_written",
}  # fmt: skip
DESCRIPTORS: dict[str, ServiceDescriptor] = {
    "gateway": gateway_pb2.DESCRIPTOR.services_by_name["GatewayService"],
    "masterdata": masterdata_pb2.DESCRIPTOR.services_by_name["MasterdataService"],
    "ledger": ledger_pb2.DESCRIPTOR.services_by_name["LedgerService"],
    "recon": recon_pb2.DESCRIPTOR.services_by_name["ReconService"],
}


def test_every_partner_got_the_answer_it_should(day: Watched) -> None:
    sent = day.played.sent
    assert sent.surprises == []
    assert (sent.forged, sent.duplicates) == (2, 2)


def test_the_trial_balance_is_the_one_counted_from_the_partners_files(day: Watched) -> None:
    findings = day.played.findings
    assert dict(findings.balance) == dict(findings.expected)
    assert findings.balance["CLR"] == day.played.provider_balance == Decimal("25.92")
    assert "TRN" not in findings.balance
    assert sum(findings.balance.values()) == 0


def test_the_ledger_accounts_for_all_that_was_handed_on(day: Watched) -> None:
    findings = day.played.findings
    assert findings.handed_on == findings.accounted
    assert len(findings.handed_on) >= 4


def test_what_remains_is_listed_with_reason_and_owner(day: Watched) -> None:
    differences = day.played.findings.differences
    told = {(one.reason, one.amount.minor_units) for one in differences}
    assert {reason for reason, _ in told} >= {"PAYMENT_WITHOUT_ORDER"}
    suspense = [one for one in differences if one.amount.minor_units == 1234]
    lone = [one for one in differences if one.reason == "PAYMENT_WITHOUT_ORDER"]
    assert len(suspense) == len(lone) == 1
    assert len(differences) == 2
    assert all(one.owner and one.message for one in differences)
    assert day.played.findings.exceptions == []


def test_every_control_account_is_explained_to_the_cent(day: Watched) -> None:
    controls = day.played.findings.controls(day.played.provider_balance)
    assert {one.account: one.books for one in controls} == {
        "Provider clearing": Decimal("25.92"),
        "Payouts in transit": Decimal(0),
        "Bank suspense": Decimal("12.34"),
        "Receivable, unapplied": Decimal("15.00"),
    }
    assert [one for one in controls if not one.holds] == []


def test_the_report_tells_a_finance_person_each_document_its_match_and_why_not(day: Watched) -> None:
    findings = day.played.findings
    console = Console(record=True, width=260, file=io.StringIO())
    print_report(console, findings, day.played.provider_balance)
    printed = console.export_text()

    def row(*words: str) -> str:
        found = [one for one in printed.splitlines() if all(word in one for word in words)]
        assert found, f"no line with {words}"
        return found[0]

    for one in findings.postings:
        row(one.transaction_id, one.odoo_number)
    credit = next(one.odoo_number for one in findings.postings if one.name.endswith("_credit"))
    assert "50.00 EUR = 55.00 USD" in row("order 1002, invoice")
    assert "bank line BNK1/" in row("order 1004, invoice")
    assert credit in row("money back for order 1001")
    assert "open: provider clearing" in row("payment for order 1005, fee")
    assert "open: bank suspense" in row("bank line 'see letter'")
    assert "its 9 entries, gross to net" in row("118.97 USD", "payout  ")
    assert "finance" in row("PAYMENT_WITHOUT_ORDER", "15.00 USD")
    assert ": NO" not in printed


def test_the_report_fits_a_narrow_terminal(day: Watched) -> None:
    findings = day.played.findings
    console = Console(record=True, width=80, file=io.StringIO())
    print_report(console, findings, day.played.provider_balance)
    lines = console.export_text().splitlines()
    for word in {one.transaction_id for one in findings.postings} | {one.odoo_number for one in findings.postings}:
        assert any(word in one for one in lines), f"{word} is broken"
    assert [one for one in lines if one[:1] in "│┃" and one.rstrip()[-1] not in "│┃"] == [], "cut off at the right"


def test_payouts_transfers_and_their_transactions_are_matched(day: Watched) -> None:
    matches = day.played.findings.matches
    assert {one.state for one in matches} == {match_pb2.Match.STATE_WRITTEN}
    types = sorted(match_pb2.Match.Type.Name(one.type) for one in matches)
    assert types == [
        "TYPE_BANK_INVOICE", "TYPE_BANK_PAYOUT", "TYPE_BANK_PAYOUT",
        "TYPE_PAYOUT_TRANSACTIONS", "TYPE_PAYOUT_TRANSACTIONS",
    ]  # fmt: skip
    assert all(one.certificate.candidates == 1 for one in matches)


def test_the_same_facts_in_a_settlement_file_and_in_the_statement_again_post_nothing(day: Watched) -> None:
    played, before = day.played, day.played.findings
    operator = issue_token(played.connection.keys(), "tests/operator", ["operator"], EVERYTHING)
    answers = []
    with httpx.Client(base_url=f"http://{played.connection.address('http')}", timeout=10) as edge:
        for account, kind, content in (
            (ACCOUNT, "text/csv", report(played.day.stripe)),
            (BANK_ACCOUNT, "application/xml", played.day.statement()),
        ):
            headers = {"authorization": f"Bearer {operator}", "content-type": kind}
            answers.append(edge.post(f"/files/{account}", content=content, headers=headers))
    await_quiet(played.connection, lambda _: None)
    for answer in answers:
        assert answer.status_code == 202
        steps, _ = steps_of(played.connection, answer.json()["transaction_id"])
        assert "recon" in {one.service for one in steps}, "the file was never looked at"
    with played.connection.channel("recon", ("auditor",)) as channel:
        asked = recon_pb2.ListSettlementsRequest(parent=COMPANY)
        settlements = recon_pb2_grpc.ReconServiceStub(channel).ListSettlements(asked).settlements
    odoo = connect(played.suite.environment()["CONCORD_ODOO_URL"], "sandbox", "concord", "concord")
    after = gather(played.connection, odoo, before.expected)
    assert {one.name for one in after.postings} == {one.name for one in before.postings}
    assert {one.odoo_number for one in after.postings} == {one.odoo_number for one in before.postings}
    assert after.balance == before.balance
    assert after.handed_on == before.handed_on == after.accounted
    assert len(after.matches) == len(before.matches)
    assert len(settlements) == 2


@pytest.mark.parametrize("service", SERVICES)
def test_every_row_of_every_service_is_proved_by_its_audit_log(day: Watched, service: str) -> None:
    found = verify(service, day.played.suite.environment())
    assert found.faults == ()
    assert found.verified.rows > 0


def test_the_whole_walk_of_a_transaction_is_one_trace(day: Watched) -> None:
    """Order D: from its webhook to the bank line that paid it."""
    transaction = day.played.sent.ids["D: order, paid by bank transfer"]

    walk = {"gateway", "ledger", "recon"}
    day.spans.wait_for(lambda _: {one.name for one in day.spans.trace(transaction)} >= WALK, 20)
    spans = day.spans.trace(transaction)
    assert walk <= services_of(day, transaction)
    assert {one.name for one in spans} >= WALK
    joined = [one for one in spans if "recon" in one.service]
    assert any(link != transaction for one in joined for link, _ in one.links), "not linked to the statement's trace"
    known = {one.span_id for one in spans}
    root = transaction[16:]
    orphans = [one.name for one in spans if one.parent_span_id and one.parent_span_id not in known | {root}]
    assert orphans == []


def services_of(day: Watched, transaction: str) -> set[str]:
    """Which services have spans in the transaction's trace."""
    return {name for name in SERVICES for one in day.spans.trace(transaction) if name in one.service}


def test_a_timeline_needs_no_trace_backend(day: Watched) -> None:
    transaction = day.played.sent.ids["D: order, paid by bank transfer"]
    printed = concord(day, "trace", transaction, "--json")
    steps = [json.loads(line) for line in printed.splitlines()]
    assert steps[0]["service"] == "gateway"
    assert {one["service"] for one in steps} == {"gateway", "ledger", "recon"}
    assert [one["time"] for one in steps] == sorted(one["time"] for one in steps)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_answers_health_and_reflection(day: Watched, service: str) -> None:
    descriptor = DESCRIPTORS[service]
    with grpc.insecure_channel(day.played.connection.address(service)) as channel:
        check: Any = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
        answer = check(health_pb2.HealthCheckRequest(service=descriptor.full_name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        assert descriptor.full_name in ProtoReflectionDescriptorDatabase(channel).get_services()


@pytest.mark.parametrize("service", SERVICES)
def test_every_role_may_call_just_what_the_table_says(day: Watched, service: str) -> None:
    descriptor = DESCRIPTORS[service]
    answered = {}
    expected = {}
    for role, full, allowed in role_matrix([descriptor]):
        method = descriptor.methods_by_name[full.rpartition("/")[2]]
        token = issue_token(day.played.connection.keys(), "matrix", [role], EVERYTHING)
        with grpc.insecure_channel(day.played.connection.address(service)) as channel:
            answered[role, full] = may_call(channel, method, full, token)
        expected[role, full] = allowed
    assert answered == expected


def may_call(channel: grpc.Channel, method: object, full: str, token: str) -> bool:
    """Whether an empty request gets past permission; what it says about its content does not matter."""
    kinds = {(False, False): "unary_unary", (False, True): "unary_stream", (True, False): "stream_unary"}
    kind = kinds[method.client_streaming, method.server_streaming]  # type: ignore[attr-defined]
    request = GetMessageClass(method.input_type)()  # type: ignore[attr-defined]
    call = getattr(channel, kind)(
        full if full.startswith("/") else f"/{full}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,  # type: ignore[attr-defined]
    )
    given = iter([request]) if kind.startswith("stream") else request
    try:
        answer = call(given, metadata=[("authorization", f"Bearer {token}")], timeout=3)
        if kind == "unary_stream":
            next(answer)
    except grpc.RpcError as error:
        return error.code() is not grpc.StatusCode.PERMISSION_DENIED
    return True


def concord(day: Watched, *arguments: str) -> str:
    """What the command prints."""
    environment = {**os.environ, "CONCORD_DATA_DIR": str(day.played.suite.folder)}
    environment["PYTHONPATH"] = f"{ROOT}{os.pathsep}{ROOT / 'libs' / 'stubs'}"
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
