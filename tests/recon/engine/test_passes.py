"""The join passes: exact before window, only where unique, and a nearest candidate for the rest."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest

from libs.money import Money
from services.recon.domain.items import BankItem, Target, TargetKind, tokens_of
from services.recon.domain.rules import RULES
from services.recon.engine.passes import match

DAY = date(2026, 3, 16)


def bank(key: str, units: int, words: str = "", day: date = DAY, currency: str = "USD") -> BankItem:
    return BankItem(key, Money(currency, units), day, tokens_of([words]))


def payout(key: str, units: int, words: str = "", day: date = DAY) -> Target:
    return Target(key, TargetKind.PAYOUT, Money("USD", units), day, tokens_of([words]))


def invoice(key: str, units: int, words: str = "", day: date = DAY) -> Target:
    return Target(key, TargetKind.INVOICE, Money("USD", units), day, tokens_of([words]))


@pytest.mark.parametrize(
    ("lines", "targets", "pairs", "ambiguous"),
    [
        ([bank("b", 100, "STRIPE po_12ab")], [payout("p", 100, "po_12ab")], [("b", "p", RULES[0].name)], []),
        ([bank("b", 100, "paid INV/2026/00001")], [invoice("i", 100, "inv-2026-00001")], [("b", "i", RULES[1].name)], []),
        ([bank("b", 100)], [payout("p", 100)], [("b", "p", RULES[2].name)], []),
        ([bank("b", 100)], [invoice("i", 100)], [("b", "i", RULES[3].name)], []),
        ([bank("b", 100)], [payout("p", 101)], [], []),
        ([bank("b", 100, currency="EUR")], [payout("p", 100)], [], []),
        ([bank("b", -100)], [payout("p", 100)], [], []),
        ([bank("b", 100, day=date(2026, 3, 24))], [payout("p", 100)], [], []),
        ([bank("b", 100)], [payout("p", 100), payout("q", 100)], [], [("b", ("p", "q"))]),
        ([bank("b", 100), bank("c", 100)], [payout("p", 100)], [], [("b", ("p",)), ("c", ("p",))]),
        # The reference tells two equal amounts apart, so the other line is alone in the window pass.
        ([bank("b", 100, "tr_7001"), bank("c", 100)], [payout("p", 100, "tr_7001"), payout("q", 100)],
         [("b", "p", RULES[0].name), ("c", "q", RULES[2].name)], []),
        # What is ambiguous by reference is not decided by a weaker rule.
        ([bank("b", 100, "tr_7001")], [payout("p", 100, "tr_7001"), payout("q", 100, "tr_7001")], [], [("b", ("p", "q"))]),
        ([], [payout("p", 100)], [], []),
        ([bank("b", 100)], [], [], []),
    ],
)  # fmt: skip
def test_a_match_is_automatic_only_if_it_is_the_only_one_of_its_rank(
    lines: list[BankItem], targets: list[Target], pairs: list[object], ambiguous: list[object]
) -> None:
    result = match(lines, targets)
    assert [(one.bank, one.target, one.rule) for one in result.pairs] == pairs
    assert [(one.bank, one.candidates) for one in result.ambiguous] == ambiguous


@pytest.mark.parametrize(
    ("target", "lacks"),
    [
        (payout("p", 101), ("amount", "reference")),
        (payout("p", 105, "tr_7001"), ("amount",)),
        (payout("p", 100, day=date(2026, 5, 1)), ("date_window", "reference")),
    ],
)
def test_a_line_without_match_names_its_nearest_candidate_and_what_it_lacks(
    target: Target, lacks: tuple[str, ...]
) -> None:
    (nearest,) = match([bank("b", 100, "tr_7001")], [target]).nearest
    assert (nearest.target, nearest.lacks) == ("p", lacks)


def test_words_without_a_digit_say_nothing() -> None:
    assert tokens_of(["Stripe payout, from INV/2026/00001; a1"]) == {"INV202600001"}


def test_pairs_agree_with_a_plain_search_on_random_books() -> None:
    rng = Random(11)
    lines = [bank(f"b{n}", rng.choice((100, 200, 300)), f"ref{rng.randrange(40):04}") for n in range(40)]
    targets = [payout(f"p{n}", rng.choice((100, 200, 300)), f"ref{rng.randrange(40):04}") for n in range(40)]
    open_lines, open_targets, expected = list(lines), list(targets), set()
    for rule in (one for one in RULES if one.kind is TargetKind.PAYOUT):
        found = [
            (b, t) for b in open_lines for t in open_targets
            if b.amount == t.amount and (not rule.by_reference or b.tokens & t.tokens)
        ]  # fmt: skip
        alone = [(b, t) for b, t in found if sum(b is x for x, _ in found) == 1 and sum(t is y for _, y in found) == 1]
        expected |= {(b.posting, t.posting) for b, t in alone}
        open_lines = [b for b in open_lines if all(b is not x for x, _ in found)]
        open_targets = [t for t in open_targets if all(t is not y for _, y in alone)]
    assert {(one.bank, one.target) for one in match(lines, targets).pairs} == expected
    assert expected
