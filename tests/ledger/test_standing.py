"""An approval counts by its audit entry: what somebody writes into the columns posts nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, update

from services.ledger.domain.posting import Posting
from services.ledger.domain.states import PostingState
from services.ledger.handlers.decide_posting import PostingDecision, approve_posting
from services.ledger.storage.tables import POSTING, TABLES
from tests.ledger.domain import books
from tests.ledger.events import order
from tests.ledger.world import World

SECOND = "people/ada"
ENTRY = TABLES.audit_entry
READY = {"state": "ready", "approved_by": SECOND, "hold_until": None, "reason": ""}


def awaiting(world: World) -> Posting:
    world.masterdata.company = replace(books.COMPANY, approval_above=1)
    return next(one for one in world.build(order()) if one.state is PostingState.AWAITING_APPROVAL)


def edited(world: World, posting: Posting, values: Mapping[str, object]) -> None:
    with world.engine.begin() as connection:
        connection.execute(update(POSTING).where(POSTING.c.key == posting.key).values(dict(values)))


def claimed(world: World) -> list[str]:
    with world.new_uow() as uow:
        found = uow.postings.claim_to_post("acme", limit=10, owner="poster", now=world.now, lease_seconds=60)
        uow.commit()
    return [posting.key for posting in found]


def state(world: World, posting: Posting) -> PostingState:
    with world.reading() as uow:
        return uow.postings.get(posting.company, posting.key).state


def test_what_a_second_person_signed_is_taken(world: World) -> None:
    posting = awaiting(world)
    decision = PostingDecision(posting.company, posting.key, str(uuid.uuid4()), SECOND, posting.content_digest)
    approve_posting(decision, world.new_uow, world.clock)
    assert claimed(world) == [posting.key]


def test_a_state_and_an_approver_written_by_hand_post_nothing(world: World) -> None:
    posting = awaiting(world)
    edited(world, posting, READY)
    assert claimed(world) == []
    assert (state(world, posting), world.reasons()) == (PostingState.EXCEPTION, ["CONTENT_CHANGED"])


@pytest.mark.parametrize(("actor", "action"), [(SECOND, "APPROVED"), (SECOND, "READY")])
def test_an_approval_entry_written_by_hand_posts_nothing(world: World, actor: str, action: str) -> None:
    posting = awaiting(world)
    edited(world, posting, READY)
    mine = ENTRY.c.subject == posting.name
    with world.engine.begin() as connection:
        last = connection.execute(select(ENTRY).where(mine).order_by(ENTRY.c.id.desc())).first()
        assert last is not None
        forged = dict(last._mapping) | {
            "subject_seq": last.subject_seq + 1,
            "action": action,
            "actor": actor,
            "prev_hash": last.hash,
            "row_digest": "",
            "sealed_number": None,
        }
        del forged["id"]
        connection.execute(insert(ENTRY).values(forged))
    assert claimed(world) == []
    assert (state(world, posting), world.reasons()) == (PostingState.EXCEPTION, ["CONTENT_CHANGED"])


def test_a_row_that_is_proved_without_its_approval_posts_nothing(world: World) -> None:
    """Whoever can make the ledger write an entry, such as another release's bug, has signed nothing by it."""
    posting = awaiting(world)
    edited(world, posting, READY)
    with world.new_uow() as uow:
        uow.stories.merge(posting.company, "another", [posting.ar_group], world.now)
        uow.commit()
    assert claimed(world) == []
    assert (state(world, posting), world.reasons()) == (PostingState.EXCEPTION, ["APPROVAL_MISSING"])
