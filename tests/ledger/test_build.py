from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace

import pytest

from libs.errors.retry import RetryPolicy
from libs.events import (
    BalanceTransaction,
    Channel,
    Collector,
    CommercialDocument,
    Event,
    EventInvalid,
    EventKind,
    Reference,
    ReferenceKind,
    Tender,
    TenderKind,
)
from libs.money import Money
from libs.telemetry import names
from services.ledger.domain import master
from services.ledger.domain.event import BuildState
from services.ledger.domain.posting import Lane, Posting
from services.ledger.domain.states import PostingState
from services.ledger.handlers.record_events import check
from services.ledger.storage.uow import LedgerUowFactory
from services.ledger.telemetry import LedgerTelemetry
from tests.ledger.domain import books
from tests.ledger.events import CHARGE, ORDER, capture, credit, evidence, order
from tests.ledger.world import World
from tests.telemetry.spans import Recorder

DISPUTE = Reference(ReferenceKind.DISPUTE, "dp_1")
LATER = 3600 + 1  # past the deadline of a predecessor, in seconds


def withdrawal() -> Event:
    event = books.money(EventKind.DISPUTE_WITHDRAWN, "-43.20", "15.00", txn="txn_9", references=(DISPUTE,))
    return replace(event, transaction_id="")


def lost() -> Event:
    return replace(books.dispute_lost(), transaction_id="", references=(DISPUTE,))


def states(postings: list[Posting]) -> dict[str, str]:
    return {one.effect: one.state.value for one in postings}


def test_an_event_becomes_a_posting_an_effect_ready_to_post(world: World) -> None:
    event = capture(references=(CHARGE,))
    gross, fee = sorted(world.build(event), key=lambda one: one.effect, reverse=True)
    assert (gross.key, fee.key) == ("acme_stripe_acct-5f1_txn-5f1_gross", "acme_stripe_acct-5f1_txn-5f1_fee")
    assert {gross.state, fee.state} == {PostingState.READY}
    document = gross.document
    assert books.lines_of(document) == ["CLR 108.00 USD", "AR -108.00 USD"]
    assert (gross.amount, gross.lane, gross.mapping_revision) == (Money("USD", 10800), Lane.INTERACTIVE, 1)
    recorded = world.event(event)
    assert (recorded.state, recorded.postings) == (BuildState.BUILT, (fee.key, gross.key))
    assert world.buckets() == {"pending": 1}
    assert "post" in world.woken


def test_masterdata_is_asked_twice_a_batch_however_many_events_it_has(world: World) -> None:
    world.build(*(capture(f"txn_{number}") for number in range(50)))
    assert len(world.masterdata.asked) == 2


def test_an_event_is_counted_in_the_least_finished_bucket_of_its_postings(world: World) -> None:
    gross, fee = sorted(world.build(capture()), key=lambda one: one.effect, reverse=True)
    world.post(gross.key)
    assert world.buckets() == {"pending": 1}
    world.post(fee.key)
    assert world.buckets() == {"posted": 1}


def test_bulk_from_files_waits_behind_what_somebody_waits_for(world: World) -> None:
    event = capture()
    (posting,) = world.build(replace(books.bank_line("118.97"), transaction_id=""))
    assert posting.lane is Lane.INTERACTIVE
    filed = replace(event, provenance=replace(event.provenance, channel=Channel.FILE))
    assert {one.lane for one in world.build(filed)} == {Lane.BULK}


def test_what_masterdata_does_not_know_becomes_an_exception_for_finance(world: World) -> None:
    world.masterdata.unknown = {master.FeeWord}
    postings = world.build(capture())
    assert states(postings) == {"gross": "exception", "fee": "exception"}
    assert {one.document_json for one in postings} == {""}
    assert {one.reason for one in postings} == {"MAPPING_MISSING"}
    assert world.reasons() == ["MAPPING_MISSING"] * 2
    assert world.event(capture()).state is BuildState.EXCEPTION
    assert world.buckets() == {"exception": 1}


def test_what_no_rule_books_is_a_case_in_front_of_finance_never_silence(world: World) -> None:
    line = books.line("100.00", "8.00")
    unsaid = replace(line, taxes=tuple(replace(tax, title="", rate="") for tax in line.taxes))
    theirs = replace(line, taxes=tuple(replace(tax, collector=Collector.MARKETPLACE) for tax in line.taxes))
    for number, (lines, tenders, reason) in enumerate(
        [
            ((theirs,), (), "TAX_NOT_OURS"),
            ((unsaid,), (), "TAX_UNSTATED"),
            ((line,), (Tender(TenderKind.GIFT_CARD), Tender(TenderKind.PROVIDER)), "TENDER_UNSUPPORTED"),
            ((line,), (Tender(TenderKind.CASH, Money("USD", 10800)),), "TENDER_UNSUPPORTED"),
        ]
    ):
        event = order(str(2000 + number))
        assert isinstance(event.body, CommercialDocument)
        document = replace(event.body, lines=lines, tenders=tenders)
        event = replace(event, name=f"{event.name}-{number}", object_id=f"5{number}", body=document)
        (posting,) = world.build(event)
        assert (posting.state, posting.reason) == (PostingState.EXCEPTION, reason)
        assert world.reasons()[-1] == reason
        assert world.event(event).state is BuildState.EXCEPTION


def test_while_masterdata_is_down_events_wait_and_then_are_built(world: World) -> None:
    world.masterdata.down = True
    world.record(capture())
    assert world.builder.run_once() == 1
    assert world.postings(capture()) == []
    world.masterdata.down = False
    world.pass_time(2)
    assert world.builder.run_once() == 1
    assert {one.state for one in world.postings(capture())} == {PostingState.READY}


def test_what_masterdata_delays_is_a_retry_of_its_company_and_interface(world: World) -> None:
    recorder = Recorder()
    telemetry = LedgerTelemetry(recorder.tracer, recorder.telemetry.metrics, world.clock)
    world.new_uow = LedgerUowFactory(world.engine, listen=telemetry.committed)
    builder = world.new_builder("builder-1", retry=RetryPolicy(max_attempts=2))
    world.masterdata.down = True
    world.record(capture(), capture("txn_2"))
    for _ in range(3):
        builder.run_once()
        world.pass_time(60)
    whose = {names.COMPANY: "acme", names.INTERFACE: "stripe/acct_1", names.PROVIDER: "stripe"}
    retried = tuple(sorted((whose | {names.REASON: "SERVICE_UNAVAILABLE"}).items()))
    assert recorder.points(names.METRIC_RETRIES) == {retried: 2}  # what is parked is not tried again
    recorder.close()


def test_an_event_whose_technical_budget_is_spent_is_parked_for_operators(world: World) -> None:
    retry = RetryPolicy(max_attempts=3)
    builder = world.new_builder("builder-1", retry=retry)
    world.masterdata.down = True
    world.record(capture())
    for _ in range(3):
        assert builder.run_once() == 1
        world.pass_time(60)
    assert builder.run_once() == 0
    postings = world.postings(capture())
    assert {(one.state, one.parked) for one in postings} == {(PostingState.RECORDED, True)}
    assert world.reasons() == ["SERVICE_UNAVAILABLE"] * 2
    assert world.buckets() == {"pending": 1}


def test_a_builder_that_dies_leaves_its_events_to_the_next_one(world: World) -> None:
    world.record(capture())
    with world.new_uow() as uow:
        assert len(uow.events.claim_to_build(limit=10, owner="dead", now=world.now, lease_seconds=60)) == 1
        uow.commit()
    assert world.builder.run_once() == 0
    world.pass_time(61)
    assert world.builder.run_once() == 1
    assert len(world.postings(capture())) == 2


def test_an_event_that_kills_its_builders_is_parked_and_the_others_go_on(world: World) -> None:
    retry = RetryPolicy(max_attempts=2)
    world.record(capture())
    for _ in range(2):
        with world.new_uow() as uow:
            uow.events.claim_to_build(limit=10, owner="dead", now=world.now, lease_seconds=60)
            uow.commit()
        world.pass_time(61)
    world.record(capture("txn_2"))
    builder = world.new_builder("builder-1", retry=retry)
    builder.run_once()
    builder.run_once()
    assert {one.reason for one in world.postings(capture())} == {"WORKER_FAILED"}
    assert {one.state for one in world.postings(capture("txn_2"))} == {PostingState.READY}


def test_a_builder_that_wakes_after_its_lease_writes_nothing(world: World) -> None:
    world.record(capture())

    def sleep_while_another_builds() -> None:
        world.masterdata.meanwhile = lambda: None
        world.pass_time(61)
        assert world.new_builder("builder-2").run_once() == 1

    world.masterdata.meanwhile = sleep_while_another_builds
    world.builder.run_once()
    assert len(world.postings(capture())) == 2
    assert world.buckets() == {"pending": 1}


def test_details_that_arrive_while_an_event_is_built_are_built_in(world: World) -> None:
    event = capture()
    world.record(event)

    def enrich() -> None:
        world.masterdata.meanwhile = lambda: None
        world.record(replace(event, references=(ORDER,)))

    world.masterdata.meanwhile = enrich
    world.build(order())
    while world.builder.run_once():
        pass
    gross = next(one for one in world.postings(event) if one.effect == "gross")
    assert gross.document.party == books.ADA


def test_a_credit_note_waits_for_its_invoice_and_is_promoted_in_its_commit(world: World) -> None:
    (note,) = world.build(credit())
    assert (note.state, note.reason) == (PostingState.HELD, "WAITS_FOR_PREDECESSOR")
    (invoice,) = world.build(order())
    assert invoice.state is PostingState.READY
    world.post()
    (note,) = world.postings(credit())
    assert (note.state, note.reason) == (PostingState.READY, "")
    (later,) = world.build(replace(credit(), name="sources/shopify/accounts/shop-1/events/refund-7", object_id="7"))
    assert later.state is PostingState.READY


def test_a_lost_dispute_waits_for_its_withdrawal_and_is_built_when_that_arrives(world: World) -> None:
    assert world.build(lost()) == []
    assert world.event(lost()).state is BuildState.RECORDED
    assert world.builder.run_once() == 0
    gross, _ = sorted(world.build(withdrawal()), key=lambda one: one.effect, reverse=True)
    (loss,) = world.postings(lost())
    assert loss.state is PostingState.HELD
    world.post(gross.key)
    assert states(world.postings(lost())) == {"lost": "ready"}


def test_a_lost_dispute_whose_withdrawal_never_comes_is_an_exception_after_the_deadline(world: World) -> None:
    world.build(lost())
    world.pass_time(LATER)
    assert world.builder.run_once() == 1
    assert states(world.postings(lost())) == {"lost": "exception"}
    assert world.reasons() == ["PREDECESSOR_MISSING"]


def test_facts_of_one_order_stand_under_one_label_in_whatever_order_they_arrive(world: World) -> None:
    stripe = capture(references=(CHARGE,))
    world.build(stripe)
    world.build(order())
    before = {one.ar_group for one in world.postings(stripe, order())}
    assert len(before) == 2
    world.build(evidence("evt_1", ORDER, CHARGE))
    assert len({one.ar_group for one in world.postings(stripe, order())}) == 1


def test_two_shops_may_use_one_order_number(world: World) -> None:
    def of_shop(shop: str) -> Event:
        one = order()
        name = one.name.replace("shop-1", shop)
        return replace(one, name=name, references=(replace(ORDER, issuer=f"shopify/{shop}"),))

    world.build(of_shop("shop-1"), of_shop("shop-2"))
    assert len({one.ar_group for one in world.postings(of_shop("shop-1"), of_shop("shop-2"))}) == 2


def test_events_of_one_batch_see_each_other(world: World) -> None:
    """A refund in a foreign currency carries what its capture was carried at."""
    euro = books.money(EventKind.CAPTURE, "54.45", presentment=Money("EUR", 5000), references=(CHARGE,))
    back = books.money(EventKind.REFUND, "-55.00", presentment=Money("EUR", -5000), txn="txn_2", references=(CHARGE,))
    world.build(euro, back)
    (posting,) = world.postings(back)
    document = posting.document
    assert books.lines_of(document) == ["CLR -55.00 USD", "AR 50.00 EUR = 54.45 USD", "FXD 0.55 USD"]


def test_the_same_effect_under_another_name_is_a_duplicate_or_a_conflict(world: World) -> None:
    world.build(capture())
    same = replace(capture(), name="sources/stripe/accounts/acct_1/events/txn_1-again")
    other = replace(capture(gross="109.00"), name="sources/stripe/accounts/acct_1/events/txn_1-other")
    assert states(world.build(same)) == {"gross": "duplicate", "fee": "duplicate"}
    conflicting = {one.state for one in world.build(other) if one.effect == "gross"}
    assert conflicting == {PostingState.EXCEPTION}
    assert world.buckets() == {"pending": 1, "duplicate": 1, "exception": 1}


@pytest.mark.parametrize(("limit", "state"), [(0, "ready"), (10800, "ready"), (10799, "awaiting_approval")])
def test_documents_above_the_company_limit_wait_for_a_second_person(
    world: World,
    limit: int,
    state: str,
) -> None:
    world.masterdata.company = replace(books.COMPANY, approval_above=limit)
    assert states(world.build(capture()))["gross"] == state


def test_an_unexplained_item_posts_and_is_in_front_of_a_person(world: World) -> None:
    adjustment = replace(books.money(EventKind.ADJUSTMENT, "5.00"), transaction_id="")
    (posting,) = world.build(adjustment)
    assert posting.state is PostingState.READY
    assert world.reasons() == ["PROVIDER_ITEM_UNEXPLAINED"]


def test_the_longest_key_there_may_be_is_kept_in_every_table(world: World) -> None:
    """On PostgreSQL one that did not fit would stop all builds of its batch."""
    first = replace(capture(), object_id="é" * 162 + "x")
    check(first)
    longer = replace(first, object_id=first.object_id + "é")
    with pytest.raises(EventInvalid):
        check(longer)
    assert isinstance(first.body, BalanceTransaction)
    other = Money("USD", first.amount.minor_units + 1)
    rival = replace(first, name=f"{first.name}-again", amount=other, body=replace(first.body, gross=other))
    world.masterdata.unknown = {master.FeeWord}
    assert {len(one.key) for one in world.build(first)} <= {998, 1000}
    assert {one.reason for one in world.build(rival)} == {"EFFECT_CONFLICT"}
    assert world.reasons().count("EFFECT_CONFLICT") == 2


def test_an_event_that_kills_its_builder_does_not_take_its_batch_along(world: World) -> None:
    class Died(BaseException):
        pass

    inner = world.masterdata.resolve

    def resolve(company: str, refs: Sequence[master.Ref]) -> master.Masters:
        if master.PartyWord("stripe/acct_1", "cus_deadly") in refs:
            raise Died
        return inner(company, refs)

    world.masterdata.resolve = resolve  # type: ignore[method-assign]
    builder = world.new_builder("builder-1", retry=RetryPolicy(max_attempts=20))
    deadly = books.money(EventKind.CAPTURE, "1.00", customer="cus_deadly", txn="txn_9")
    others = [capture(f"txn_{number}") for number in range(5)]
    world.record(deadly, *others)
    for _ in range(25):
        with contextlib.suppress(Died):
            builder.run_once()
        world.pass_time(61)
    assert {one.state for one in world.postings(*others)} == {PostingState.READY}
    assert {(one.state, one.reason) for one in world.postings(deadly)} == {(PostingState.RECORDED, "WORKER_FAILED")}
