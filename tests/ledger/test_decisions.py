"""What people decide about postings, and what time decides about held ones."""

from __future__ import annotations

import threading
import uuid
from dataclasses import replace

import pytest

from libs.access import EVERYTHING
from libs.errors import ConcordError
from libs.errors.review import ApproverIsMaker, ContentChanged, TransitionForbidden
from libs.events import Event
from libs.storage.requests import RequestIdReused
from services.ledger.domain.errors import NotRetryable
from services.ledger.domain.master import FeeWord
from services.ledger.domain.posting import Change, Posting, unblocked
from services.ledger.domain.states import PostingState
from services.ledger.handlers.decide_posting import PostingDecision, approve_posting, reject_posting, retry_posting
from services.ledger.workers.hold import HoldWorker
from tests.ledger.domain import books
from tests.ledger.events import capture, credit, order
from tests.ledger.world import MAKER, MAPPER, World

SECOND = "people/ada"


def awaiting(world: World, event: Event) -> Posting:
    world.masterdata.company = replace(books.COMPANY, approval_above=1)
    return next(one for one in world.build(event) if one.state is PostingState.AWAITING_APPROVAL)


def approval(posting: Posting, approver: str = SECOND, digest: str = "", request: str = "") -> PostingDecision:
    digest = digest or posting.content_digest
    return PostingDecision(posting.company, posting.key, request or str(uuid.uuid4()), approver, digest)


def approve(world: World, command: PostingDecision) -> Posting:
    return approve_posting(command, world.new_uow, world.clock)


def reject(world: World, posting: Posting, why: str = "not ours") -> Posting:
    command = PostingDecision(posting.company, posting.key, str(uuid.uuid4()), SECOND, why)
    return reject_posting(command, world.new_uow, world.clock)


def retry(world: World, posting: Posting) -> Posting:
    command = PostingDecision(posting.company, posting.key, str(uuid.uuid4()), SECOND)
    return retry_posting(command, world.new_uow, world.clock)


def in_state(world: World, posting: Posting, state: PostingState, **fields: object) -> Posting:
    """Claim it as the worker that posts does, and leave it in a state."""
    with world.new_uow() as uow:
        taken = uow.postings.claim_to_post(posting.company, limit=10, owner="w", now=world.now, lease_seconds=9)
        changes = [Change(one, replace(one, state=state, **fields), "w") for one in taken]  # type: ignore[arg-type]
        uow.postings.apply(changes, world.now)
        uow.commit()
    with world.reading() as uow:
        return uow.postings.get(posting.company, posting.key)


def test_a_second_person_signs_the_content_and_it_goes_on(world: World) -> None:
    posting = awaiting(world, order())
    approved = approve(world, approval(posting))
    assert (approved.state, approved.approved_by) == (PostingState.READY, SECOND)
    with world.reading() as uow:
        _, steps = uow.trail.steps(posting.transaction_id, EVERYTHING)
    words = [one.step for one in steps if "/postings/" in one.resource]
    assert words == ["validated", "awaiting_approval", "approved", "ready"]


@pytest.mark.parametrize(
    ("approver", "digest", "error"),
    [
        (MAKER, "", ApproverIsMaker),
        (MAPPER, "", ApproverIsMaker),
        ("People/MIA ", "", ApproverIsMaker),
        (SECOND, "0" * 64, ContentChanged),
    ],
)
def test_nobody_approves_his_own_or_another_content(
    world: World,
    approver: str,
    digest: str,
    error: type[ConcordError],
) -> None:
    posting = awaiting(world, order())
    with pytest.raises(error):
        approve(world, approval(posting, approver, digest))
    assert world.postings(order())[0] == posting


def test_a_credit_note_that_is_approved_still_waits_for_its_invoice(world: World) -> None:
    assert approve(world, approval(awaiting(world, credit()))).state is PostingState.HELD


def test_what_waits_for_no_approval_cannot_be_approved(world: World) -> None:
    posting = world.build(capture())[0]
    with pytest.raises(TransitionForbidden):
        approve(world, approval(posting))


def test_a_repeated_request_gets_the_first_answer_and_another_content_is_refused(world: World) -> None:
    command = approval(awaiting(world, order()))
    first = approve(world, command)
    world.post()
    assert approve(world, command) == first
    with pytest.raises(RequestIdReused):
        approve(world, replace(command, words="1" * 64))


def test_racing_repeats_of_a_request_change_a_posting_once(world: World) -> None:
    command = approval(awaiting(world, order()))
    answers: list[Posting] = []
    threads = [threading.Thread(target=lambda: answers.append(approve(world, command))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert {one.version for one in answers} == {answers[0].version}


def test_a_rejected_posting_ends_with_its_reason_and_its_case(world: World) -> None:
    posting = awaiting(world, order())
    rejected = reject(world, posting)
    assert (rejected.state, rejected.reason_text) == (PostingState.REJECTED, "not ours")
    assert world.buckets() == {"rejected": 1}
    with pytest.raises(TransitionForbidden):
        reject(world, posting)


def test_a_posting_on_its_way_cannot_be_rejected(world: World) -> None:
    posting = world.build(capture())[0]
    with pytest.raises(TransitionForbidden):
        reject(world, posting)


def test_an_exception_is_built_again_once_its_cause_is_mended(world: World) -> None:
    world.masterdata.unknown = {FeeWord}
    broken = world.build(capture())
    assert {one.state for one in broken} == {PostingState.EXCEPTION}
    world.masterdata.unknown = set()
    for one in broken:
        assert retry(world, one).state is PostingState.RECORDED
    assert world.reasons() == []
    world.builder.run_once()
    assert {one.state for one in world.postings(capture())} == {PostingState.READY}
    assert world.buckets() == {"pending": 1}


def test_an_exception_after_an_attempt_keeps_its_tries_so_that_the_worker_looks_first(world: World) -> None:
    (posting,) = world.build(order())
    refused = in_state(world, posting, PostingState.EXCEPTION, reason="ODOO_REFUSED")
    assert (refused.tries, retry(world, refused).tries) == (1, 1)
    world.builder.run_once()
    (again,) = world.postings(order())
    assert (again.state, again.tries, again.content_digest) == (PostingState.READY, 1, posting.content_digest)


@pytest.mark.parametrize("state", [PostingState.READY, PostingState.UNKNOWN])
def test_a_parked_posting_is_taken_up_again(world: World, state: PostingState) -> None:
    (posting,) = world.build(order())
    parked = in_state(world, posting, state, parked=True, reason="ODOO_UNAVAILABLE")
    with world.new_uow() as uow:
        assert uow.postings.companies_to_post() == []
    taken_up = retry(world, parked)
    assert (taken_up.state, taken_up.parked, taken_up.attempts) == (state, False, 0)
    with world.new_uow() as uow:
        assert uow.postings.companies_to_post() == ["acme"]


def test_a_parked_event_is_built_after_a_retry(world: World) -> None:
    world.masterdata.down = True
    world.record(order())
    for _ in range(20):
        world.builder.run_once()
        world.pass_time(301)
    (parked,) = world.postings(order())
    assert parked.parked
    world.masterdata.down = False
    retry(world, parked)
    world.builder.run_once()
    (posting,) = world.postings(order())
    assert (posting.state, posting.parked) == (PostingState.READY, False)
    assert world.reasons() == []


def test_what_moves_by_itself_needs_no_retry(world: World) -> None:
    (posting,) = world.build(order())
    with pytest.raises(NotRetryable):
        retry(world, posting)
    world.post()
    with pytest.raises(NotRetryable):
        retry(world, posting)


def test_a_posting_whose_predecessor_never_comes_is_an_exception_after_its_deadline(world: World) -> None:
    worker = HoldWorker(world.new_uow, world.as_worker("holder"))
    world.build(credit())
    assert worker.run_once() == 0
    world.pass_time(3601)
    assert worker.run_once() == 1
    (note,) = world.postings(credit())
    assert (note.state, world.reasons()) == (PostingState.EXCEPTION, ["PREDECESSOR_MISSING"])
    world.build(order())
    world.post()
    retry(world, note)
    world.builder.run_once()
    assert world.postings(credit())[0].state is PostingState.READY


def test_what_is_held_until_a_time_is_ready_when_it_comes(world: World) -> None:
    (posting,) = world.build(order())
    with world.new_uow() as uow:
        until = world.now.replace(hour=23)
        held = replace(posting, state=PostingState.HELD, reason="PERIOD_LOCKED", available_at=until)
        uow.postings.apply([Change(posting, held, "w")], world.now)
        uow.commit()
    world.now = until
    assert HoldWorker(world.new_uow, world.as_worker("holder")).run_once() == 1
    assert world.postings(order())[0].state is PostingState.READY


def test_a_change_under_a_lost_claim_is_not_made(world: World) -> None:
    (posting,) = world.build(order())
    with world.new_uow() as uow:
        (taken,) = uow.postings.claim_to_post("acme", limit=9, owner="slow", now=world.now, lease_seconds=60)
        uow.commit()
    world.pass_time(61)
    with world.new_uow() as uow:
        (second,) = uow.postings.claim_to_post("acme", limit=9, owner="quick", now=world.now, lease_seconds=60)
        uow.commit()
    with world.new_uow() as uow:
        late = Change(taken, unblocked(taken, world.now), "slow")
        assert uow.postings.apply([late], world.now) == set()
        uow.commit()
    assert (second.tries, world.postings(order())[0].state) == (2, PostingState.POSTING)
    with world.reading() as uow:
        _, steps = uow.trail.steps(posting.transaction_id, EVERYTHING)
    assert [one.step for one in steps][-4:] == ["ready", "posting", "unknown", "posting"]
