"""A few movements at the provider, told by a sender who tries again, to a gateway that may end at any commit."""

from __future__ import annotations

import random
from datetime import timedelta

from tests.gateway.world import NOW, Crash, GatewayWorld

AT = NOW - timedelta(hours=2)


def day(world: GatewayWorld) -> list[bytes]:
    """A few movements at the provider, and the webhooks that tell of them."""
    account = world.account
    charge = account.charge("ch_1", 10800, AT, fee=343, metadata={"order_number": "1001"})
    other = account.charge("ch_2", 4320, AT + timedelta(seconds=1), fee=155)
    refund = account.refund("re_1", "ch_1", 2160, AT + timedelta(seconds=2))
    dispute = account.dispute("dp_1", "ch_2", AT + timedelta(seconds=3), fee=1500)
    payout = account.payout("po_1", AT + timedelta(seconds=4), NOW, trace="T1")
    return [
        account.event("evt_1", "charge.succeeded", charge, AT),
        account.event("evt_2", "charge.succeeded", other, AT),
        account.event("evt_3", "refund.created", refund, AT),
        account.event("evt_4", "charge.dispute.funds_withdrawn", dispute, AT),
        account.event("evt_5", "payout.paid", payout, AT),
    ]


def played(world: GatewayWorld, rng: random.Random) -> dict[str, str]:
    """The day, from a sender who tries again until it is answered; whatever crashes is started anew."""
    answers: dict[str, str] = {}
    waiting = day(world) * 2
    rng.shuffle(waiting)
    for _ in range(400):
        try:
            while waiting:
                answer = world.deliver_stripe(waiting[-1])
                key = waiting.pop().decode()
                assert answers.setdefault(key, answer) == answer
            world.run()
            world.wait(61)
            world.run()
            return answers
        except Crash:
            world.gateway = world.started(rng.randrange(10**6))
            world.wait(130)
    raise AssertionError("the day does not end")


EXPECTED = {"evt_1", "evt_2", "evt_3", "evt_5", "txn_ch_1", "txn_ch_2", "txn_re_1", "txn_dp_1", "txn_po_1"}
