"""Which events a caller may bring: of its own companies and sources, and of the kinds that its roles record.

Bank lines and the money of providers enter through the service that owns their source: whoever could record them
from outside could post any amount into a bank's journal. What a supplier asks for is brought by the company's own
purchasing, never by a partner: a sale makes others owe us, a purchase makes us owe them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from libs.errors import ConcordError, Kind
from libs.events import CommercialDocument, Direction, Event, EventKind
from libs.rpc.identity import Identity
from libs.rpc.resources import ResourceUnknown

BANK = "bank"  # the provider of accounts whose statements are read
Recorded = EventKind | Direction  # of a commercial document its direction
COMMERCE: frozenset[Recorded] = frozenset(Direction)
ALL: frozenset[Recorded] = COMMERCE | (frozenset(EventKind) - {EventKind.DOCUMENT})
# Beside `libs.rpc.permissions.ROLES`: of which kinds are the events that a role records.
KINDS: Mapping[str, frozenset[Recorded]] = {
    "partner": frozenset({Direction.SALE, EventKind.EVIDENCE}),
    "purchasing": frozenset({Direction.PURCHASE}),
    "gateway": ALL - {EventKind.BANK_LINE},
    "recon": ALL - COMMERCE,  # lines of statements, and of providers' reports
}


class EventKindForbidden(ConcordError):
    """None of the caller's roles records events of this kind."""

    kind = Kind.FORBIDDEN
    reason = "EVENT_KIND_FORBIDDEN"


def admit(event: Event, identity: Identity) -> None:
    """Raises `ResourceUnknown` beyond the caller's scope, `EventKindForbidden` beyond its roles' kinds."""
    scope = identity.scope
    if not scope.allows_company(event.company):
        raise ResourceUnknown("companies", "company")
    if not scope.allows_interface(event.interface):
        raise ResourceUnknown("sources", "name")
    kind = event.body.direction if isinstance(event.body, CommercialDocument) else event.kind
    if kind not in kinds_of(identity.roles):
        raise EventKindForbidden(f"your roles record no {kind.value}", field="kind")
    if (event.kind is EventKind.BANK_LINE) != (event.provider == BANK):
        raise EventKindForbidden("a bank's source has bank lines, and no other source has any", field="kind")


@lru_cache(maxsize=256)
def kinds_of(roles: frozenset[str]) -> frozenset[Recorded]:
    """What the roles record together."""
    return frozenset().union(*(KINDS.get(role, frozenset()) for role in roles))
