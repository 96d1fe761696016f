"""What people decide of differences: that a doubt is settled, that nothing more is looked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from concord.recon.v1 import match_pb2, recon_pb2, recon_pb2_grpc

from libs.access import EVERYTHING
from libs.errors import ConcordError, Kind
from libs.money import Money
from libs.rpc.channel import open_channel
from libs.rpc.config import ChannelConfig
from libs.rpc.errors import RemoteError
from libs.rpc.identity import IssuedToken
from libs.rpc.server import Registration
from libs.storage.audit import AuditLog
from services.recon.domain.difference import Difference, DifferenceState
from services.recon.handlers.assign_difference import AssignDifference, assign_difference
from services.recon.handlers.decide_difference import DecideDifference, Decision, decide_difference
from services.recon.servicer import ReconServicer
from services.recon.storage import TABLES
from tests.formats.camt_files import detail, document, entry
from tests.recon.calls import KEYS, PARENT, serving
from tests.recon.world import World, order_event


def decide(world: World, decision: Decision, one: Difference, actor: str, **changes: Any) -> Difference:
    command = DecideDifference(decision, "acme", one.name, str(one.version), str(uuid4()), actor, "so it is")
    return decide_difference(replace(command, **changes), world.recon.new_uow, world.clock)


def assigned(world: World) -> Difference:
    (found,) = world.differences()
    command = AssignDifference("acme", found.name, "ada", str(found.version), "boss")
    return assign_difference(command, world.recon.new_uow, world.clock)


def unmatched(world: World) -> Difference:
    """A bank line that nothing explains, with an owner."""
    world.bank_line("5.00", "who knows, order 7777")
    world.run()
    return assigned(world)


def doubted(world: World) -> Difference:
    world.statement(document(entry("20.00", detail("10.00") + detail("7.00"))))
    (found,) = world.differences()
    return found


def audited(world: World, one: Difference) -> list[tuple[str, str]]:
    with world.recon.new_uow(read_only=True) as uow:
        entries = AuditLog(uow.connection, TABLES).of_subject(one.name)
    return [(stored.entry.action, stored.entry.actor) for stored in entries]


def test_a_second_person_writes_off_what_the_first_proposed(world: World) -> None:
    proposed = decide(world, Decision.PROPOSE_WRITE_OFF, unmatched(world), "ada")
    assert (proposed.state, proposed.proposed_by, proposed.why) == (DifferenceState.ASSIGNED, "ada", "so it is")
    written_off = decide(world, Decision.APPROVE_WRITE_OFF, proposed, "bob", why="")
    assert (written_off.state, written_off.decided_by) == (DifferenceState.WRITTEN_OFF, "bob")
    assert audited(world, proposed) == [
        ("DIFFERENCE_OPEN", "recon"),
        ("DIFFERENCE_ASSIGNED", "boss"),
        ("DIFFERENCE_WRITE_OFF_PROPOSED", "ada"),
        ("DIFFERENCE_WRITTEN_OFF", "bob"),
    ]
    world.run()
    assert world.differences() == []  # no worker opens it again
    with pytest.raises(ConcordError) as refused:
        decide(world, Decision.PROPOSE_WRITE_OFF, written_off, "ada")
    assert refused.value.reason == "TRANSITION_FORBIDDEN"


def test_a_proposal_that_is_rejected_can_be_made_again(world: World) -> None:
    proposed = decide(world, Decision.PROPOSE_WRITE_OFF, unmatched(world), "ada")
    rejected = decide(world, Decision.REJECT_WRITE_OFF, proposed, "bob", why="ask the bank")
    assert (rejected.state, rejected.proposed_by, rejected.why) == (DifferenceState.ASSIGNED, "", "ask the bank")
    assert audited(world, proposed)[-1] == ("DIFFERENCE_WRITE_OFF_REJECTED", "bob")
    assert decide(world, Decision.PROPOSE_WRITE_OFF, rejected, "ada").proposed_by == "ada"


def test_a_proposal_falls_when_what_it_was_about_changes(world: World) -> None:
    proposed = decide(world, Decision.PROPOSE_WRITE_OFF, unmatched(world), "ada")
    world.told(order_event(world, "7777", 900))
    world.run()
    (changed,) = world.differences()
    assert (changed.reason, changed.proposed_by, changed.owner) == ("AMOUNT_DIFFERS", "", "ada")
    assert audited(world, proposed)[-1] == ("DIFFERENCE_WRITE_OFF_VOIDED", "recon")


def test_a_counterpart_that_is_found_settles_what_was_proposed(world: World) -> None:
    proposed = decide(world, Decision.PROPOSE_WRITE_OFF, unmatched(world), "ada")
    world.told(order_event(world, "7777", 500))
    world.run()
    (found,) = world.differences(live=False)
    assert (found.name, found.state) == (proposed.name, DifferenceState.RESOLVED)
    assert (found.proposed_by, found.decided_by) == ("", "")


@pytest.mark.parametrize(
    ("decision", "actor", "reason"),
    [
        (Decision.APPROVE_WRITE_OFF, "ada", "APPROVER_IS_MAKER"),
        (Decision.APPROVE_WRITE_OFF, "Ada ", "APPROVER_IS_MAKER"),
        (Decision.PROPOSE_WRITE_OFF, "bob", "TRANSITION_FORBIDDEN"),
        (Decision.RESOLVE, "bob", "DIFFERENCE_WATCHED"),
    ],
)
def test_what_may_not_be_decided_changes_nothing(world: World, decision: Decision, actor: str, reason: str) -> None:
    proposed = decide(world, Decision.PROPOSE_WRITE_OFF, unmatched(world), "ada")
    with pytest.raises(ConcordError) as refused:
        decide(world, decision, proposed, actor)
    assert refused.value.reason == reason
    assert world.differences() == [proposed]


@pytest.mark.parametrize(
    ("decision", "changes", "reason"),
    [
        (Decision.APPROVE_WRITE_OFF, {}, "WRITE_OFF_NOT_PROPOSED"),
        (Decision.REJECT_WRITE_OFF, {}, "WRITE_OFF_NOT_PROPOSED"),
        (Decision.PROPOSE_WRITE_OFF, {"version": "1"}, "DIFFERENCE_CHANGED"),
        (Decision.PROPOSE_WRITE_OFF, {"name": "companies/acme/differences/x"}, "DIFFERENCE_UNKNOWN"),
    ],
)
def test_what_was_not_proposed_or_not_read_is_not_decided(
    world: World, decision: Decision, changes: dict[str, str], reason: str
) -> None:
    difference = unmatched(world)
    with pytest.raises(ConcordError) as refused:
        decide(world, decision, difference, "bob", **changes)
    assert refused.value.reason == reason


def test_what_nobody_owns_cannot_be_written_off(world: World) -> None:
    with pytest.raises(ConcordError) as refused:
        decide(world, Decision.PROPOSE_WRITE_OFF, doubted(world), "ada")
    assert refused.value.reason == "TRANSITION_FORBIDDEN"


def test_a_repeat_gets_the_first_answer_and_another_content_is_refused(world: World) -> None:
    difference, request = unmatched(world), str(uuid4())
    first = decide(world, Decision.PROPOSE_WRITE_OFF, difference, "ada", request_id=request)
    world.pass_time(60)
    assert decide(world, Decision.PROPOSE_WRITE_OFF, difference, "ada", request_id=request) == first
    assert world.differences() == [first]
    with pytest.raises(ConcordError) as refused:
        decide(world, Decision.PROPOSE_WRITE_OFF, difference, "ada", request_id=request, why="another")
    assert refused.value.reason == "REQUEST_ID_REUSED"


def test_a_doubt_is_settled_by_a_person_and_stays_so(world: World) -> None:
    settled = decide(world, Decision.RESOLVE, doubted(world), "ada")
    assert (settled.state, settled.decided_by, settled.why) == (DifferenceState.RESOLVED, "ada", "so it is")
    assert settled.amount == Money("EUR", 300)
    world.run()
    assert [one.reason for one in world.differences()] == ["NO_CANDIDATE"]


def test_two_people_over_the_wire(world: World) -> None:
    difference = unmatched(world)
    recon = world.recon
    servicer = ReconServicer(
        recon.new_uow, recon.import_statement, recon.import_settlement_file, recon.import_settlement, world.clock
    )
    service = recon_pb2.DESCRIPTOR.services_by_name["ReconService"]
    registration = Registration(servicer, recon_pb2_grpc.add_ReconServiceServicer_to_server, service)
    with serving(registration, ("accountant", "approver")) as (server, mine):
        other = open_channel(
            server.address, ChannelConfig(retry=None), IssuedToken(KEYS, "bob", ("approver",), EVERYTHING)
        )
        maker, second = recon_pb2_grpc.ReconServiceStub(mine), recon_pb2_grpc.ReconServiceStub(other)
        request = recon_pb2.ProposeWriteOffRequest(
            name=difference.name, why="a cent", etag=str(difference.version), request_id=str(uuid4())
        )
        with pytest.raises(RemoteError) as denied:
            second.ProposeWriteOff(request)
        assert denied.value.reason == "PERMISSION_DENIED"
        proposed = maker.ProposeWriteOff(request)
        assert (proposed.proposed_by, proposed.why) == ("tests", "a cent")
        approval = recon_pb2.ApproveWriteOffRequest(name=proposed.name, etag=proposed.etag, request_id=str(uuid4()))
        with pytest.raises(RemoteError) as own:
            maker.ApproveWriteOff(approval)
        assert (own.value.kind, own.value.reason) == (Kind.FORBIDDEN, "APPROVER_IS_MAKER")
        assert second.ApproveWriteOff(approval).state == match_pb2.Difference.STATE_WRITTEN_OFF
        listed = maker.ListDifferences(recon_pb2.ListDifferencesRequest(parent=PARENT)).differences
        assert [one.decided_by for one in listed] == ["bob"]
        with pytest.raises(RemoteError) as wordless:
            maker.ResolveDifference(recon_pb2.ResolveDifferenceRequest(name=proposed.name, etag="1", request_id="x"))
        assert (wordless.value.reason, wordless.value.field) == ("REQUEST_INVALID", "why")
        other.close()
