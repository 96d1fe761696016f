"""Odoo that is slow, refuses, or answers nonsense; masterdata that is down; days that are locked on the way."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from sqlalchemy import text

from libs.access import EVERYTHING
from libs.errors import ConcordError, Kind
from libs.errors.review import TransitionForbidden
from libs.events import Event, EventKind
from libs.odoo.errors import OdooDenied, OdooError, OdooRefused, OdooUnavailable
from libs.odoo.port import Json
from services.ledger.domain import master
from services.ledger.domain.case import Category
from services.ledger.domain.posting import Posting
from services.ledger.domain.states import PostingState
from services.ledger.handlers.decide_posting import PostingDecision, approve_posting, reject_posting
from tests.ledger.domain.books import line, money, order
from tests.ledger.posting.sales import ORDER, posted, sale
from tests.ledger.posting.steps import lock, retry
from tests.ledger.posting.world import PostingWorld


def capture(txn: str = "txn_1") -> Event:
    return money(EventKind.CAPTURE, "108.00", txn=txn, customer="cus_ada", references=ORDER)


def states(world: PostingWorld, *events: Event) -> set[PostingState]:
    return {one.state for one in world.postings(*events)}


def reject(world: PostingWorld, posting: Posting) -> Posting:
    command = PostingDecision("acme", posting.key, str(uuid.uuid4()), "people/ada", "not ours")
    return reject_posting(command, world.new_uow, world.clock)


class Instead:
    """Answers a method in Odoo's place: `answer` is given, or raised, as often as it says."""

    def __init__(self, world: PostingWorld, method: str, answer: object, times: int = 1, *, done: bool = True) -> None:
        self.left = times
        inner: Callable[..., Json] = world.odoo.execute

        def execute(model: str, name: str, args: list[Json], kwargs: Mapping[str, Json] | None = None) -> Json:
            if name != method or not self.left:
                return inner(model, name, args, kwargs)
            self.left -= 1
            if done:
                inner(model, name, args, kwargs)
            if isinstance(answer, Exception):
                raise answer
            return answer

        world.odoo.execute = execute  # type: ignore[method-assign, assignment]


@pytest.mark.parametrize("nonsense", [None, False, 7, "<html>", {"ids": [1, 2, 3]}, {"ids": "x"}, [["a"]], [{}]])
@pytest.mark.parametrize("method", ["load", "read", "search_read"])
def test_an_answer_that_is_none_is_looked_up_and_nothing_is_posted_twice(
    world: PostingWorld, method: str, nonsense: object
) -> None:
    world.build(capture(), capture("txn_2"))
    Instead(world, method, nonsense, 2)
    world.work(rounds=30)
    assert states(world, capture(), capture("txn_2")) == {PostingState.POSTED}
    assert (world.moves(), world.reasons()) == (2, [])


def test_where_an_answer_could_not_be_read_is_logged_and_not_what_it_said(
    world: PostingWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world.build(capture())
    Instead(world, "load", {"ids": "IBAN DE02 1203"}, 1)
    world.work(rounds=30)
    (told,) = [one.getMessage() for one in caplog.records if "can't be read" in one.getMessage()]
    assert "odoo_journal.py" in told
    assert "IBAN" not in told


def test_while_masterdata_is_down_what_is_claimed_goes_back_at_once(world: PostingWorld) -> None:
    class Down(ConcordError):
        kind = Kind.RETRY
        reason = "SERVICE_UNAVAILABLE"

    def nobody(company: str, refs: object) -> master.Masters:
        raise Down("no answer")

    world.build(capture())
    world.masters.resolve = nobody  # type: ignore[method-assign]
    assert world.post_a_batch() == 1
    (posting,) = world.postings(capture())
    assert (posting.state, posting.reason, posting.claim) == (PostingState.READY, "SERVICE_UNAVAILABLE", None)
    del world.masters.resolve
    world.work(rounds=20)
    posted(world, capture())


def test_an_attempt_that_was_not_looked_up_stays_unknown_while_odoo_is_down(world: PostingWorld) -> None:
    world.build(capture())
    world.odoo.lose_once = {"load"}
    world.post_a_batch()
    world.odoo.down = True
    world.pass_time(60)
    world.post_a_batch()
    assert states(world, capture()) == {PostingState.UNKNOWN}
    world.odoo.down = False
    world.work(rounds=20)
    assert (states(world, capture()), world.moves()) == ({PostingState.POSTED}, 1)


def test_a_draft_whose_day_is_locked_before_it_is_posted_moves_by_policy(world: PostingWorld) -> None:
    world.build(capture())
    world.odoo.lose_once = {"load"}
    world.post_a_batch()
    lock(world)
    world.work(rounds=20)
    gross = posted(world, capture())["gross"]
    assert (gross.posted_date, world.moves(), world.reasons()) == ("2026-04-01", 1, [])


def test_a_draft_whose_day_is_locked_is_taken_away_where_a_person_must_decide(world: PostingWorld) -> None:
    world.masters.late_policy = "exception"
    world.build(capture())
    world.odoo.lose_once = {"load"}
    world.post_a_batch()
    lock(world)
    world.work(rounds=20)
    assert (world.reasons(), world.moves()) == (["PERIOD_LOCKED"], 0)


def test_what_was_approved_is_approved_again_before_it_is_posted_on_another_day(world: PostingWorld) -> None:
    company = world.masters.company()
    world.masters.company = lambda: replace(company, approval_above=1)  # type: ignore[method-assign]
    (signed,) = world.build(capture())
    approve_posting(
        PostingDecision("acme", signed.key, str(uuid.uuid4()), "people/ada", signed.content_digest),
        world.new_uow,
        world.clock,
    )
    lock(world)
    world.work(rounds=10)
    (again,) = world.postings(capture())
    assert (again.state, again.approved_by, world.moves()) == (PostingState.AWAITING_APPROVAL, "", 0)
    assert again.content_digest != signed.content_digest
    approve_posting(
        PostingDecision("acme", again.key, str(uuid.uuid4()), "people/bob", again.content_digest),
        world.new_uow,
        world.clock,
    )
    world.work(rounds=10)
    (done,) = world.postings(capture())
    assert (done.state, done.approved_by, done.posted_date) == (PostingState.POSTED, "people/bob", "2026-04-01")
    assert done.content_digest == again.content_digest


def test_what_stands_otherwise_in_the_books_cannot_be_rejected_until_it_was_cancelled_there(
    world: PostingWorld,
) -> None:
    world.build(capture())
    world.odoo.lose_once = {"action_post"}
    world.post_a_batch()
    (gross,) = world.postings(capture())
    world.admin.execute("account.move", "button_draft", [[gross.odoo_id]])
    world.admin.execute("account.move", "write", [[gross.odoo_id], {"date": "2026-03-20"}])
    world.admin.execute("account.move", "action_post", [[gross.odoo_id]])
    world.work(rounds=10)
    (held,) = world.postings(capture())
    assert (held.state, held.reason) == (PostingState.EXCEPTION, "ODOO_HOLDS_ANOTHER")
    with world.reading() as uow:
        (case,) = uow.cases.page("acme", None, EVERYTHING, 10, None)
    assert case.doubt.actions == ("retry",)
    with pytest.raises(TransitionForbidden):
        reject(world, held)
    world.admin.execute("account.move", "button_draft", [[gross.odoo_id]])
    world.admin.execute("account.move", "button_cancel", [[gross.odoo_id]])
    retry(world, held)
    world.work(rounds=10)
    (cancelled,) = world.postings(capture())
    assert cancelled.reason == "ODOO_DOCUMENT_CANCELLED"
    assert reject(world, cancelled).state is PostingState.REJECTED


def test_a_draft_that_odoo_will_not_remove_is_an_exception_and_the_others_go_on(world: PostingWorld) -> None:
    world.build(capture(), capture("txn_2"))
    Instead(world, "action_post", OdooRefused("odoo.exceptions.UserError", "no"), 2, done=False)
    Instead(world, "unlink", OdooRefused("odoo.exceptions.UserError", "it stays"), 9, done=False)
    world.work(rounds=20)
    assert sorted(one.state.value for one in world.postings(capture(), capture("txn_2"))) == ["exception", "posted"]
    assert world.reasons() == ["ODOO_KEEPS_DRAFT"]


def test_a_story_that_odoo_does_not_let_reconcile_is_a_case_and_keeps_nobody_waiting(world: PostingWorld) -> None:
    world.build(sale(), capture())
    while world.post_a_batch():
        pass
    Instead(world, "reconcile", OdooRefused("odoo.exceptions.UserError", "no"), 1, done=False)
    assert world.reconciler.run_once() == 1
    assert world.reasons() == ["ODOO_REFUSED"]
    assert world.reconciler.run_once() == 0
    world.pass_time(601)
    world.work(rounds=20)
    assert world.reasons() == []
    assert {one.open_roles for one in world.postings(sale(), capture())} == {"", "CLR"}


def test_odoo_that_is_down_is_asked_once_a_round_by_the_reconciler(world: PostingWorld) -> None:
    for number in range(3):
        world.record(
            replace(
                order((line("10.00"),), "10.00", "0.00", number=f"{number}"),
                name=f"sources/shopify/accounts/shop-1/events/o-{number}",
                object_id=f"o{number}",
            )
        )
    while world.builder.run_once() + world.post_a_batch():
        pass
    asked = Instead(world, "read", OdooUnavailable("refused"), 99, done=False)
    assert world.reconciler.run_once() == 3
    assert asked.left == 98


def test_a_posting_whose_attempts_kill_the_worker_is_parked(world: PostingWorld) -> None:
    poster = world.new_poster("poster-2", max_attempts=3)
    world.build(capture())
    for _ in range(3):
        poster.claim()  # and dies
        world.pass_time(200)
    assert poster.run_once() == 0
    (posting,) = world.postings(capture())
    assert (posting.state, posting.parked, posting.reason) == (PostingState.UNKNOWN, True, "WORKER_FAILED")
    with world.reading() as uow:
        (case,) = uow.cases.page("acme", None, EVERYTHING, 10, None)
    assert case.doubt.category is Category.TECHNICAL
    retry(world, posting)
    world.work(rounds=10)
    posted(world, capture())


def test_what_stands_on_a_contact_bears_its_company_in_the_books(world: PostingWorld) -> None:
    company = world.masters.partners["Ada Archer"]
    (contact,) = [world.admin.execute("res.partner", "create", [{"name": "Ada, purchasing", "parent_id": company}])]
    inner = world.masters._answer

    def answer(ref: master.Ref) -> master.Target:
        found = inner(ref)
        if isinstance(found, master.PostingParty) and found.odoo_id == company:
            return master.PostingParty(found.name, int(contact), company)
        return found

    world.masters._answer = answer  # type: ignore[method-assign]
    world.record(sale(), capture())
    world.work(rounds=20)
    assert {one.open_roles for one in world.postings(sale(), capture())} == {"", "CLR"}
    assert world.reasons() == []


@pytest.mark.parametrize(("was", "becomes"), [('"STRP"', '"BNK1"'), ("10800", "10900")])
def test_a_stored_document_that_somebody_changed_is_not_posted(world: PostingWorld, was: str, becomes: str) -> None:
    posting = world.build(capture(), capture("txn_2"))[0]
    changed = posting.document_json.replace(was, becomes, 1)
    assert changed != posting.document_json
    with world.engine.begin() as connection:
        values = {"document": changed, "key": posting.key}
        connection.execute(text("UPDATE posting SET document = :document WHERE key = :key"), values)
    world.work(rounds=10)
    assert (world.reasons(), world.moves()) == (["CONTENT_CHANGED"], 1)
    assert states(world, capture("txn_2")) == {PostingState.POSTED}


@pytest.mark.parametrize("error", [OdooUnavailable("refused"), OdooDenied("odoo.exceptions.AccessDenied")], ids=str)
def test_while_odoo_answers_nothing_its_loop_is_told_to_pause(world: PostingWorld, error: OdooError) -> None:
    world.build(capture())
    Instead(world, "read", error, done=False)
    with pytest.raises(type(error)):
        world.poster.run_once()
    (posting,) = world.postings(capture())
    assert (posting.state, posting.claim) == (PostingState.READY, None)
    world.work(rounds=10)
    posted(world, capture())


def test_a_clock_that_is_set_back_an_hour_stops_nothing_for_long(world: PostingWorld) -> None:
    world.build(capture())
    world.odoo.down = True
    for _ in range(8):
        world.post_a_batch()
        world.pass_time(31)
    world.odoo.down = False
    world.pass_time(-3600)
    for _ in range(80):
        world.post_a_batch()
        world.pass_time(60)
    assert (states(world, capture()), world.moves()) == ({PostingState.POSTED}, 1)
