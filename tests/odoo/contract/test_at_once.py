"""Two who do the same at the same time: the second is told so, and nothing is done twice. Recorded on live servers.

It happens to us whenever a reply is late: the next attempt begins while Odoo is still at work on the one before.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from libs.odoo.errors import OdooConflict, OdooError, OdooRefused, conflict_in_load
from tests.odoo.contract.documents import (
    entry,
    entry_rows,
    invoice,
    key,
    line,
    line_on,
    lines_of,
    load,
    post,
    posted,
    read,
    reconcile,
)
from tests.odoo.contract.target import Target

TIMES = 3


def at_once(act: Callable[[], Any]) -> list[Any]:
    """What two threads get for the same call: the answer or the error."""
    start = Barrier(2)

    def run() -> Any:
        start.wait(timeout=30)
        try:
            return act()
        except OdooError as error:
            return error

    with ThreadPoolExecutor(2) as threads:
        return [one.result() for one in [threads.submit(run), threads.submit(run)]]


@pytest.mark.parametrize("_", range(TIMES))
def test_a_draft_is_posted_once_and_the_other_is_refused(target: Target, _: int) -> None:
    move = entry(target)
    answers = at_once(lambda: post(target, move))
    refused = [one for one in answers if isinstance(one, OdooRefused | OdooConflict)]
    assert [one for one in answers if one is False] == [False]
    assert len(refused) == 1
    assert read(target, move, "state") == "posted"


@pytest.mark.parametrize("_", range(TIMES))
def test_one_external_id_makes_one_entry(target: Target, _: int) -> None:
    """Whoever is second gets the same id or, in words alone, that somebody was faster."""
    name = key(target)
    answers = at_once(lambda: load(target, entry_rows(target, name)))
    found = target.call("account.move", "search", [["ref", "=", name]])
    assert len(found) == 1
    assert [row["balance"] for row in lines_of(target, found[0], "balance")] == [10.0, -10.0]
    won = [one for one in answers if one["ids"]]
    assert won
    assert {tuple(one["ids"]) for one in won} == {tuple(found)}
    assert all(conflict_in_load(one["messages"]) for one in answers if not one["ids"])


@pytest.mark.parametrize("_", range(TIMES))
def test_lines_are_matched_once_and_the_other_is_refused(target: Target, _: int) -> None:
    bill = invoice(target, 100.0, None)
    post(target, bill)
    money = posted(target, line(target, "CLR", 100.0), line(target, "AR", -100.0, "Ada Archer"))
    debit, credit = line_on(target, bill, "AR"), line_on(target, money, "AR")
    answers = at_once(lambda: reconcile(target, debit, credit))
    assert [one for one in answers if one is None] == [None]
    assert len([one for one in answers if isinstance(one, OdooRefused | OdooConflict)]) == 1
    assert target.call("account.partial.reconcile", "search_count", [["debit_move_id", "=", debit]]) == 1
