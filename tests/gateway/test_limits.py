"""A partner's own limit: a share a minute, and how long to wait for the next."""

from __future__ import annotations

from providers.base import Source
from services.gateway.http.limits import PartnerLimits

LIMITED = Source("stripe", "acct_1", "demo", True)
OTHER = Source("stripe", "acct_2", "demo", True)
UNNAMED = Source("shopify", "shop", "demo", True)


def test_a_share_is_used_up_and_comes_back_with_the_next_minute() -> None:
    now = [100.0]
    limits = PartnerLimits({LIMITED.interface: 2, OTHER.interface: 2}, lambda: now[0])
    assert [limits.take(LIMITED), limits.take(LIMITED), limits.take(LIMITED)] == [0, 0, 60]
    now[0] += 30.5
    assert limits.take(LIMITED) == 30
    assert limits.take(OTHER) == 0, "one partner uses up nothing of another's"
    now[0] += 29.4
    assert limits.take(LIMITED) == 1
    now[0] += 0.1
    assert [limits.take(LIMITED), limits.take(LIMITED), limits.take(LIMITED)] == [0, 0, 60]


def test_a_source_that_is_not_named_has_no_limit() -> None:
    limits = PartnerLimits({}, lambda: 0.0)
    assert not any(limits.take(UNNAMED) for _ in range(1000))
