"""What people and recon do to the ledger in a test."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from libs.access import EVERYTHING
from services.ledger.domain.match import AppliedMatch, AppliedMatchType
from services.ledger.domain.posting import Posting
from services.ledger.handlers.apply_match import apply_match, get_applied_match
from services.ledger.handlers.decide_posting import PostingDecision, retry_posting
from tests.ledger.posting.world import PostingWorld


def apply(
    world: PostingWorld,
    name: str,
    anchor: Posting,
    members: Sequence[Posting],
    kind: AppliedMatchType = AppliedMatchType.BANK_PAYOUT,
) -> None:
    keys = tuple(one.key for one in members)
    match = AppliedMatch(
        name=name,
        company="acme",
        type=kind,
        anchor=anchor.key,
        members=keys,
        rule_revision="r1",
        traceparent="",
        applied_by="recon",
        created_at=world.now,
        available_at=world.now,
    )
    apply_match(match, world.new_uow)


def stored(world: PostingWorld, name: str) -> AppliedMatch:
    return get_applied_match(name, EVERYTHING, world.new_uow).match


def retry(world: PostingWorld, posting: Posting) -> Posting:
    command = PostingDecision("acme", posting.key, str(uuid.uuid4()), "people/ada")
    return retry_posting(command, world.new_uow, world.clock)


def lock(world: PostingWorld, until: str = "2026-03-31") -> None:
    world.admin.execute("res.company", "write", [[1], {"fiscalyear_lock_date": until}])
