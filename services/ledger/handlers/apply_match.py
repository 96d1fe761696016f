"""Accept a confirmed match: a worker shows it in Odoo once its postings are posted. And take one up again."""

from __future__ import annotations

from dataclasses import dataclass

from libs.access import AccessScope
from libs.events import Clock

from ..domain.errors import MatchConflict, MatchNotRetryable, PostingUnknown
from ..domain.match import AppliedMatch, AppliedMatchState
from ..storage.uow import LedgerUow, NewUow


@dataclass(frozen=True, slots=True)
class MatchAnswer:
    """A match as it stands, and the transactions whose documents it joins."""

    match: AppliedMatch
    transaction_ids: tuple[str, ...]


def apply_match(match: AppliedMatch, new_uow: NewUow) -> MatchAnswer:
    """The match as it stands; the same one again gets the first one's state.

    Raises `PostingUnknown` where it names a posting that does not exist, `MatchConflict` where its name is known with
    another content.
    """
    with new_uow() as uow:
        answer = _with_transactions(uow, match)
        stored = uow.matches.add(match)
        if stored.fingerprint != match.fingerprint:
            raise MatchConflict("this match is known with another content", field="match.name")
        uow.commit()
    return MatchAnswer(stored, answer.transaction_ids)


def retry_match(name: str, actor: str, scope: AccessScope, new_uow: NewUow, clock: Clock) -> MatchAnswer:
    """The match in its queue again, after its cause is mended; one that is pending stays as it is.

    Raises `AppliedMatchUnknown`, or `MatchNotRetryable` for one that is written.
    """
    now = clock()
    with new_uow() as uow:
        before = uow.matches.get(name, scope)
        if before.state is AppliedMatchState.WRITTEN:
            raise MatchNotRetryable("the match is written: there is nothing to do again", field="name")
        stored = uow.matches.take_up(before, now, actor)
        uow.cases.resolve([name], "retried", now)
        answer = _with_transactions(uow, stored)
        uow.commit()
    return answer


def get_applied_match(name: str, scope: AccessScope, new_uow: NewUow) -> MatchAnswer:
    """Raises `AppliedMatchUnknown`."""
    with new_uow(read_only=True) as uow:
        return _with_transactions(uow, uow.matches.get(name, scope))


def _with_transactions(uow: LedgerUow, match: AppliedMatch) -> MatchAnswer:
    keys = match.keys
    postings = uow.postings.find(keys)
    unknown = [key for key in keys if key not in postings or postings[key].company != match.company]
    if unknown:
        raise PostingUnknown(f"the match names {len(unknown)} postings that do not exist", field="match")
    return MatchAnswer(match, tuple(dict.fromkeys(postings[key].transaction_id for key in keys)))
