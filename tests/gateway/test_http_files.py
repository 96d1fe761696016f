"""Files over HTTP: streamed into the store, known by content, and gone without a trace if they are not wanted."""

from __future__ import annotations

import base64
import json

import httpx
import pytest

from libs.access import AccessScope
from services.gateway.storage import end_leases_of_the_dead
from tests.eventually import eventually
from tests.gateway.edge import Edge, check, edge
from tests.gateway.world import GatewayWorld

CAMT = b'<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"/>'
REPORT = b"balance_transaction_id,currency,gross,fee,net,reporting_category\ntxn_1,usd,1.00,0.10,0.90,charge\n"
IBAN = "DE02120300000000202051"


def upload(found: Edge, body: bytes, account: str = IBAN, token: str | None = "", **headers: str) -> httpx.Response:
    given = found.token("accountant") if token == "" else token
    if given is not None:
        headers["authorization"] = f"Bearer {given}"
    response = httpx.post(f"{found.url}/files/{account}", content=body, headers=headers)
    check(response, "POST", f"/files/{account}")
    return response


def test_files_are_known_by_content_and_reach_recon_byte_by_byte(world: GatewayWorld) -> None:
    statement = CAMT + b"<!--" + b"x" * 2_500_000 + b"-->"
    with edge(world) as found:
        first = upload(found, statement, **{"x-file-name": "../../etc/nov%20ember.xml"})
        assert first.status_code == 202
        assert upload(found, statement).content == first.content
        assert upload(found, REPORT, "acct_1").status_code == 202
    assert len(set(world.stored("upload_chunk", "upload"))) == 2
    world.run()
    kinds = {kind: (file, body) for kind, file, body in world.recon.files}
    file, body = kinds["statement"]
    assert body == statement
    assert (file.company, file.interface, file.file_name) == ("demo", f"bank/{IBAN}", "nov ember.xml")
    assert (file.delivery, file.transaction_id) == (first.json()["delivery"], first.json()["transaction_id"])
    assert kinds["settlement"][0].interface == "stripe/acct_1"
    assert world.states() == {"forwarded": 2}


def test_a_file_that_a_dead_process_was_handing_on_is_taken_up_at_the_next_start(world: GatewayWorld) -> None:
    with edge(world) as found:
        assert upload(found, CAMT).status_code == 202
    with world.uow() as uow:
        assert uow.deliveries.claim(files=True, limit=1, owner="dead", now=world.now, lease_seconds=1800)
        uow.commit()
    world.run("forward-file")
    assert not world.recon.files
    assert end_leases_of_the_dead(world.engine) == 1
    world.run("forward-file")
    assert len(world.recon.files) == 1


def test_a_file_that_recon_reads_slowly_keeps_no_webhook_waiting(world: GatewayWorld) -> None:
    with edge(world) as found:
        assert upload(found, CAMT + b"<!--" + b"x" * 2_500_000 + b"-->").status_code == 202
    delivered: list[str] = []

    def deliver() -> None:
        number = len(delivered)
        delivered.append(world.deliver_shopify(b'{"id": %d}' % number, "carts/update", f"w-{number}"))

    world.recon.while_it_reads = deliver
    world.run("forward-file")
    assert len(delivered) == world.count("upload_chunk")
    assert len(delivered) > 2
    assert [kind for kind, _, _ in world.recon.files] == ["statement"]


@pytest.mark.parametrize(
    "body, account, roles, status, reason",
    [
        (CAMT, IBAN, None, 401, "TOKEN_MISSING"),
        (CAMT, IBAN, ("viewer",), 403, "PERMISSION_DENIED"),
        (CAMT, "nobody", ("accountant",), 404, "SOURCE_UNKNOWN"),
        (CAMT, "shop", ("accountant",), 404, "SOURCE_UNKNOWN"),
        (b"", IBAN, ("accountant",), 400, "FILE_EMPTY"),
        (b"hello", IBAN, ("accountant",), 415, "FILE_KIND_UNKNOWN"),
        (b"<html>", IBAN, ("accountant",), 415, "FILE_KIND_UNKNOWN"),
        (CAMT + b" " * 4_000_000, IBAN, ("accountant",), 413, "FILE_TOO_LARGE"),
    ],
)
def test_a_file_that_is_not_wanted_leaves_nothing(
    world: GatewayWorld, body: bytes, account: str, roles: tuple[str, ...] | None, status: int, reason: str
) -> None:
    with edge(world) as found:
        response = upload(found, body, account, None if roles is None else found.token(*roles))
        assert (response.status_code, response.json()["reason"]) == (status, reason)
    assert world.count("upload_chunk") == 0
    assert world.count("delivery") == 0


@pytest.mark.parametrize(
    ("companies", "sources", "status"),
    [
        (["demo"], [f"bank/{IBAN}"], 202),
        (["demo"], ["bank/*"], 202),
        (["demo"], ["*"], 202),
        ([], [], 404),
        (["demo"], ["bank/DE00"], 404),
        (["demo"], ["stripe/*"], 404),
        (["other"], ["*"], 404),
        (["DEMO"], ["*"], 404),
    ],
)
def test_a_file_is_taken_for_the_senders_own_sources(
    world: GatewayWorld, companies: list[str], sources: list[str], status: int
) -> None:
    with edge(world) as found:
        token = found.token("accountant", scope=AccessScope.of(companies, sources))
        response = upload(found, CAMT, token=token)
        assert response.status_code == status
        unknown = upload(found, CAMT, "nobody", token)
    if status == 404:
        assert response.content == unknown.content
        assert world.count("delivery") == 0


def test_a_forged_token_is_refused(world: GatewayWorld) -> None:
    with edge(world) as found:
        head, _, tail = found.token("accountant").split(".")
        claims = base64.urlsafe_b64encode(json.dumps({"sub": "x", "roles": ["operator"]}).encode()).decode().rstrip("=")
        assert upload(found, CAMT, token=f"{head}.{claims}.{tail}").json()["reason"] == "TOKEN_INVALID"


def test_a_chunked_file_that_grows_too_large_is_cut_off_and_forgotten(world: GatewayWorld) -> None:
    with edge(world) as found:
        parts = iter([CAMT, *[b"x" * 500_000] * 8])
        headers = {"authorization": f"Bearer {found.token('accountant')}"}
        try:
            status = httpx.post(f"{found.url}/files/{IBAN}", content=parts, headers=headers).status_code
        except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
            status = 413  # cut off while we were still sending
        assert status == 413
        eventually(lambda: world.count("upload_chunk") == 0)


def test_uploads_that_nobody_finished_are_cleared_away(world: GatewayWorld) -> None:
    upload_ = world.gateway.upload(10_000_000)
    upload_.feed(CAMT + b"x" * 2_000_000)
    upload_.flush()
    assert world.gateway.janitor.run_once() == 0
    world.wait(7201)
    assert world.gateway.janitor.run_once() == 1
    assert world.count("upload_chunk") == 0
