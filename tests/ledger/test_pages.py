"""A page of postings is put together from columns and ready bytes: it must tell the same as the posting read whole."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from functools import partial
from typing import Any

from concord.ledger.v1 import posting_pb2
from sqlalchemy import update

from libs.rpc.scalars import from_money, from_time
from services.ledger import wire
from services.ledger.domain.document import Document
from services.ledger.domain.posting import Change, Posting, PostingQuery, creation
from services.ledger.domain.states import PostingState, Reconciliation
from services.ledger.handlers.read_postings import list_postings
from services.ledger.storage.tables import POSTING
from tests.ledger.posting.sales import capture, sale
from tests.ledger.posting.world import PostingWorld
from tests.ledger.versions import go_back_and_forth
from tests.storage.fixtures import EngineFor
from tests.storage.plans import plans_within


def slowly(posting: Posting) -> posting_pb2.Posting:
    """The message made of the domain's values, field by field."""
    document = posting.document if posting.is_built else None
    return posting_pb2.Posting(
        name=posting.name,
        event=posting.event,
        transaction_id=posting.transaction_id,
        state=posting_pb2.Posting.State.Value(f"STATE_{posting.state.name}"),
        reconciliation=posting_pb2.Posting.Reconciliation.Value(f"RECONCILIATION_{posting.reconciliation.name}"),
        document=_document(document) if document else None,
        content_digest=posting.content_digest,
        odoo_id=posting.odoo_id,
        odoo_model=posting.odoo_model,
        odoo_number=posting.odoo_number,
        posted_date=posting.posted_date,
        reason=posting.reason,
        reason_text=posting.reason_text,
        attempts=posting.tries,
        parked=posting.parked,
        create_time=from_time(posting.created_at),
        update_time=from_time(posting.updated_at),
        post_time=from_time(posting.posted_at) if posting.posted_at else None,
        etag=str(posting.version),
        approved_by=posting.approved_by,
        open_roles=posting.open_roles.split(),
        mapping_revision=posting.mapping_revision,
    )


def _document(document: Document) -> posting_pb2.Document:
    return posting_pb2.Document(
        type=posting_pb2.Document.Type.Value(f"TYPE_{document.type.name}"),
        journal=document.journal.code,
        date=document.day.isoformat(),
        original_date=document.original_day.isoformat(),
        currency_code=document.currency,
        lines=[
            posting_pb2.EntryLine(
                role=line.role,
                account=line.account.code,
                label=line.label,
                amount=from_money(line.amount),
                balance=from_money(line.balance),
                party=line.party.name if line.party else "",
            )
            for line in document.entry.lines
        ],
        converts=document.entry.converts,
    )


def listed(world: PostingWorld) -> list[posting_pb2.Posting]:
    part = list_postings(PostingQuery("acme"), 1000, None, world.new_uow)
    return [posting_pb2.Posting.FromString(wire.from_listed(listed)) for listed in part.items]


def read_whole(world: PostingWorld) -> list[Posting]:
    with world.reading() as uow:
        keys = [one.key for one in uow.postings.page(PostingQuery("acme"), 1000, None)]
        found = uow.postings.find(keys)
    return [found[key] for key in keys]


def assert_alike(world: PostingWorld) -> None:
    postings = read_whole(world)
    expected = [slowly(posting) for posting in postings]
    assert listed(world) == expected
    assert [wire.from_posting(posting) for posting in postings] == expected


def test_pages_tell_what_the_postings_are_at_every_step_of_the_walk(engine_for: EngineFor) -> None:
    world = PostingWorld(engine_for("services.ledger"))
    world.record(sale(), capture(), capture("txn_euro", "100.00", "2.90"))
    while world.builder.run_once():
        assert_alike(world)
    while world.post_a_batch():
        assert_alike(world)
    while world.reconciler.run_once():
        assert_alike(world)
    states = {one.state for one in read_whole(world)}
    assert states == {PostingState.POSTED}
    assert any(message.document.lines and message.HasField("post_time") for message in listed(world))


def test_a_posting_is_told_alike_in_every_state_and_after_every_change(engine_for: EngineFor) -> None:
    world = PostingWorld(engine_for("services.ledger"))
    (built, *_) = world.build(capture())
    rng = random.Random(7)
    states = list(PostingState)
    postings = [replace(built, key=f"{built.key}{number}", state=state) for number, state in enumerate(states)]
    postings = [replace(one, odoo_id=9 if one.state is PostingState.POSTED else 0) for one in postings]
    with world.new_uow() as uow:
        uow.postings.apply([creation(one) for one in postings], world.now)
        uow.commit()
    assert_alike(world)
    for _ in range(20):
        world.pass_time(rng.randrange(1, 1000) / 7)
        with world.new_uow() as uow:
            found = uow.postings.find([one.key for one in postings])
            changes = [Change(one, _changed(one, world, rng), "people/ada") for one in found.values()]
            assert len(uow.postings.apply(changes, world.now)) == len(postings)
            uow.commit()
        assert_alike(world)


def _changed(posting: Posting, world: PostingWorld, rng: random.Random) -> Posting:
    """The posting with a few other values, in the state that it is in."""
    values: dict[str, Any] = {
        "document_json": rng.choice(["", posting.document_json.replace("USD", "CAD"), world.postings(capture())[0].document_json]),
        "content_digest": rng.choice(["", "b" * 64]),
        "mapping_revision": rng.randrange(3),
        "reconciliation": rng.choice(list(Reconciliation)),
        "open_roles": rng.choice(["", "CLR", "AR CLR"]),
        "odoo_id": rng.randrange(1, 2**40),
        "odoo_model": rng.choice(["", "account.move"]),
        "odoo_number": rng.choice(["", "INV/2026/00001"]),
        "posted_date": rng.choice(["", "2026-03-15"]),
        "posted_at": rng.choice([None, world.now]),
        "reason": rng.choice(["", "ODOO_REFUSED"]),
        "reason_text": rng.choice(["", "Größe 10 €"]),
        "tries": rng.randrange(200),
        "parked": rng.choice([True, False]),
        "approved_by": rng.choice(["", "people/ada"]),
    }  # fmt: skip
    return replace(posting, **{name: values[name] for name in rng.sample(sorted(values), 5)})


def test_rows_without_bytes_are_told_like_all_others(engine_for: EngineFor) -> None:
    world = PostingWorld(engine_for("services.ledger"))
    world.build(sale(), capture(), capture("txn_2"))
    before = listed(world)
    for version in ("0005_messages_of_postings", "0007_messages_of_states"):
        go_back_and_forth(world.engine, version)
        assert listed(world) == before
    for column in ("built_message", "state_message"):
        with world.engine.begin() as connection:
            newest = POSTING.c.key == read_whole(world)[-1].key
            connection.execute(update(POSTING).where(newest).values({column: None}))
        assert listed(world) == before
    while world.post_a_batch():
        assert_alike(world)


def test_a_page_reads_no_more_than_its_rows_although_nothing_is_known_of_the_table(engine_for: EngineFor) -> None:
    world = PostingWorld(engine_for("services.ledger"))
    (built, *_) = world.build(capture())
    copies = [replace(built, key=f"{built.key}{number:05}") for number in range(3000)]
    with world.new_uow() as uow:
        uow.postings.apply([creation(one) for one in copies], world.now)
        uow.commit()
    for query in (PostingQuery("acme"), PostingQuery("acme", states=(built.state,))):
        with world.reading() as uow:
            (plan,) = plans_within(world.engine, partial(uow.postings.page, query, 101, None))
            found = [one.key for one in uow.postings.page(query, 101, None)]
        assert not re.search("SORT|TEMP B-TREE", plan.upper()), plan
        assert found[1:] == [one.key for one in copies[:100]]
