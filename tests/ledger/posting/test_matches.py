"""Matches reach Odoo, or a person; one that can't be written never keeps the others waiting."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from libs.access import EVERYTHING
from libs.events import BankLine, Event, EventKind
from libs.odoo.errors import OdooRefused, OdooUnavailable
from libs.odoo.port import Json
from services.ledger.domain.case import Category, ExceptionCase
from services.ledger.domain.errors import MatchNotRetryable
from services.ledger.domain.match import AppliedMatchState, AppliedMatchType
from services.ledger.domain.posting import Change, Posting
from services.ledger.domain.states import PostingState
from services.ledger.handlers.apply_match import retry_match
from tests.ledger.domain.books import bank_line, money
from tests.ledger.posting.steps import apply, stored
from tests.ledger.posting.world import PostingWorld, Watched

GOOD, BAD = "companies/acme/matches/good", "companies/acme/matches/bad"


def payout(txn: str = "po_1") -> Event:
    return money(EventKind.PAYOUT, "-5.00", txn=txn)


def arrived(occurrence: int = 1) -> Event:
    event = bank_line("5.00")
    assert isinstance(event.body, BankLine)
    body = replace(event.body, occurrence=occurrence)
    return replace(event, name=f"{event.name}-{occurrence}", body=body)


def posted(world: PostingWorld, *events: Event) -> list[Posting]:
    world.record(*events)
    world.work(rounds=20)
    return world.postings(*events)


def cases(world: PostingWorld) -> list[ExceptionCase]:
    with world.reading() as uow:
        return [one for one in uow.cases.page("acme", None, EVERYTHING, 100, None) if one.resolved_at is None]


def take_away(world: PostingWorld, posting: Posting) -> None:
    world.admin.execute("account.move", "button_draft", [[posting.odoo_id]])
    world.admin.execute("account.move", "unlink", [[posting.odoo_id]])


def test_a_match_whose_document_was_taken_away_is_an_exception_and_the_next_one_is_written(world: PostingWorld) -> None:
    line_1, line_2, gone, there = posted(world, arrived(), arrived(2), payout(), payout("po_2"))
    take_away(world, gone)
    apply(world, BAD, line_1, [gone])
    apply(world, GOOD, line_2, [there])
    world.work(rounds=10)
    assert (stored(world, BAD).state, stored(world, BAD).reason) == (AppliedMatchState.EXCEPTION, "ODOO_DOCUMENT_GONE")
    assert stored(world, GOOD).state is AppliedMatchState.WRITTEN
    assert [one.doubt.reason for one in cases(world)] == ["ODOO_DOCUMENT_GONE"]


@pytest.mark.parametrize(
    ("kind", "anchor", "member"),
    [
        (AppliedMatchType.BANK_INVOICE, 0, 1),  # a payout bears no receivable
        (AppliedMatchType.BANK_PAYOUT, 1, 1),  # the anchor is no bank line
        (AppliedMatchType.PAYOUT_TRANSACTIONS, 0, 0),  # a bank line bears no clearing
    ],
)
def test_a_match_that_does_not_suit_its_postings_is_an_exception(
    world: PostingWorld, kind: AppliedMatchType, anchor: int, member: int
) -> None:
    both = posted(world, arrived(), payout())
    apply(world, BAD, both[anchor], [both[member]], kind)
    world.work(rounds=10)
    assert (stored(world, BAD).state, stored(world, BAD).reason) == (AppliedMatchState.EXCEPTION, "MATCH_UNFIT")


def test_a_match_that_names_a_rejected_posting_does_not_wait_for_ever(world: PostingWorld) -> None:
    (line,) = posted(world, arrived())
    (waiting,) = world.build(payout())
    with world.new_uow() as uow:
        for state in (PostingState.EXCEPTION, PostingState.REJECTED):
            after = replace(waiting, state=state)
            uow.postings.apply([Change(waiting, after, "test")], world.now)
            waiting = uow.postings.get("acme", waiting.key)
        uow.commit()
    apply(world, BAD, line, [waiting])
    world.work(rounds=10)
    assert stored(world, BAD).reason == "MATCH_WITHOUT_POSTING"


def test_a_match_that_waits_is_looked_at_less_often_the_longer_it_waits(world: PostingWorld) -> None:
    (line,) = posted(world, arrived())
    (waiting,) = world.build(payout())
    apply(world, GOOD, line, [waiting])
    looks = 0
    for _ in range(3600):
        looks += world.matcher.run_once()
        world.pass_time(1)
    assert looks < 150
    assert stored(world, GOOD).available_at - world.now <= timedelta(seconds=60)


def test_a_match_that_spent_its_budget_is_a_case_for_operators_and_can_be_taken_up_again(world: PostingWorld) -> None:
    line, out = posted(world, arrived(), payout())
    apply(world, GOOD, line, [out])
    matcher = world.new_matcher("matcher-2", max_attempts=3)
    world.odoo.down = True
    for _ in range(5):
        matcher.run_once()
        world.pass_time(300)
    assert stored(world, GOOD).parked
    (case,) = cases(world)
    assert (case.subject, case.doubt.category, case.owner) == (GOOD, Category.TECHNICAL, "operations")
    world.odoo.down = False
    for _ in range(2):  # safe to repeat
        assert (
            retry_match(GOOD, "people/ada", EVERYTHING, world.new_uow, world.clock).match.state
            is AppliedMatchState.PENDING
        )
    assert cases(world) == []
    world.work(rounds=10)
    assert stored(world, GOOD).state is AppliedMatchState.WRITTEN
    with pytest.raises(MatchNotRetryable):
        retry_match(GOOD, "people/ada", EVERYTHING, world.new_uow, world.clock)


def test_a_refused_match_is_written_once_its_cause_is_mended(world: PostingWorld) -> None:
    line, out = posted(world, arrived(), payout())
    world.admin.execute("account.move", "button_draft", [[out.odoo_id]])
    apply(world, BAD, line, [out])
    world.work(rounds=10)
    assert stored(world, BAD).state is AppliedMatchState.EXCEPTION
    world.admin.execute("account.move", "action_post", [[out.odoo_id]])
    retry_match(BAD, "people/ada", EVERYTHING, world.new_uow, world.clock)
    world.work(rounds=10)
    assert (stored(world, BAD).state, cases(world)) == (AppliedMatchState.WRITTEN, [])
    with world.reading() as uow:
        _, steps = uow.trail.steps(line.transaction_id, EVERYTHING)
    assert [one.step for one in steps if one.resource == BAD] == [
        "match_accepted", "match_exception", "match_retried", "match_written",
    ]  # fmt: skip


def test_a_matcher_whose_lease_ran_out_before_a_match_of_its_batch_leaves_it_alone(world: PostingWorld) -> None:
    line_1, line_2, out_1, out_2 = posted(world, arrived(), arrived(2), payout(), payout("po_2"))
    apply(world, BAD, line_1, [out_1])
    apply(world, GOOD, line_2, [out_2])
    world.odoo.meanwhile = {"account.move.line.reconcile": lambda: world.pass_time(400)}
    world.matcher.run_once()
    assert not world.odoo.meanwhile
    assert {stored(world, name).state for name in (GOOD, BAD)} == {AppliedMatchState.PENDING}
    world.work(rounds=20)
    assert {stored(world, name).state for name in (GOOD, BAD)} == {AppliedMatchState.WRITTEN}
    assert cases(world) == []


def joined_pairs(world: PostingWorld, count: int) -> tuple[list[str], list[Posting]]:
    """Matches of as many bank lines and payouts, not yet written; their names and the payouts' postings."""
    numbers = range(1, count + 1)
    found = posted(world, *(arrived(n) for n in numbers), *(payout(f"po_{n}") for n in numbers))
    names = [f"companies/acme/matches/m{n}" for n in numbers]
    for name, line, paid in zip(names, found[:count], found[count:], strict=True):
        apply(world, name, line, [paid])
    return names, found[count:]


def test_what_became_of_the_matches_of_a_claim_is_read_back_at_once(world: PostingWorld) -> None:
    names, _ = joined_pairs(world, 4)
    watched = Watched(world)
    assert world.matcher.run_once() == 4
    assert {stored(world, name).state for name in names} == {AppliedMatchState.WRITTEN}
    assert watched.calls == {
        "account.bank.statement.line.read": 5,  # before each, and after all
        "account.move.read": 5,
        "account.move.line.search_read": 4 + 4 + 1,  # and what was moved
        "account.move.line.write": 4,
        "account.move.line.reconcile": 4,
        "account.partial.reconcile.search_read": 1,
    }


def test_a_match_that_can_not_be_read_back_keeps_no_other_waiting(world: PostingWorld) -> None:
    names, payouts = joined_pairs(world, 5)

    def unreadable(model: str, method: str, args: list[Json]) -> None:
        reconciled = world.admin.execute("account.partial.reconcile", "search_count", [[]]) == len(names)
        if reconciled and (model, method) == ("account.move", "read") and payouts[2].odoo_id in args[0]:
            raise OdooRefused("odoo.exceptions.UserError", "no")

    Watched(world, before=unreadable)
    world.matcher.run_once()
    assert [stored(world, name).state for name in names] == [
        AppliedMatchState.EXCEPTION if name.endswith("m3") else AppliedMatchState.WRITTEN for name in names
    ]
    assert [(one.subject, one.doubt.reason) for one in cases(world)] == [(names[2], "ODOO_REFUSED")]


def test_matches_that_were_joined_before_odoo_went_away_are_read_back_later(world: PostingWorld) -> None:
    names, _ = joined_pairs(world, 4)
    down = [True]

    def goes(model: str, method: str, args: list[Json]) -> None:
        if down and world.admin.execute("account.partial.reconcile", "search_count", [[]]) == 2:
            down.pop()
            raise OdooUnavailable("refused")

    Watched(world, before=goes)
    assert world.matcher.run_once() == 4
    assert {stored(world, name).state for name in names} == {AppliedMatchState.PENDING}
    world.work(rounds=20)
    assert {stored(world, name).state for name in names} == {AppliedMatchState.WRITTEN}
    assert world.admin.execute("account.partial.reconcile", "search_count", [[]]) == 4
