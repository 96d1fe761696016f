from __future__ import annotations

import re

import pytest

from services.masterdata.adapters.mapping_yaml import read_mapping
from services.masterdata.domain.errors import MappingInvalid
from services.masterdata.domain.mapping import MappingScope
from tests.masterdata.company import demo_mapping

HEAD = """\
company:
  time_zone: Europe/Berlin
sources:
  - { provider: stripe, account: acct_1 }
  - { provider: shopify, account: shop-1 }
"""


def test_the_demonstration_file_is_read_whole() -> None:
    mapping = read_mapping(demo_mapping())
    assert mapping.company.time_zone == "America/New_York"
    assert mapping.company.predecessor_deadline_seconds == 259_200
    assert {one.interface: one.issuer for one in mapping.sources} == {
        "shopify/shop-1": "shopify/shop-1",
        "stripe/acct_demo": "stripe/acct_demo",
    }
    assert (mapping.roles[0].role, mapping.roles[0].code) == ("CLR", "124100")
    assert mapping.roles[0].scope == MappingScope("stripe", "acct_demo", "USD")
    assert (
        mapping.roles[0].line
        == demo_mapping()
        .splitlines()
        .index("  - { role: CLR, provider: stripe, account: acct_demo, currency: USD, code: 124100 }")
        + 1
    )
    assert (mapping.taxes[0].rate, mapping.taxes[0].tax) == ("0.08", "Sales Tax 8%")
    assert mapping.parties[0].external_ids == (("shopify/shop-1", "7001"), ("stripe/acct_demo", "cus_ada"))
    assert mapping.parties[-1].unidentified_for == ("stripe/acct_demo", "shopify/shop-1")


def test_what_a_file_leaves_out_has_its_default() -> None:
    mapping = read_mapping(HEAD)
    policy = mapping.company
    assert (policy.approval_above, policy.late_event_policy) == ("0", "next_open_day")
    assert policy.predecessor_deadline_seconds == 72 * 3600
    assert not [*mapping.roles, *mapping.taxes, *mapping.parties]


@pytest.mark.parametrize(
    "text, code",
    [
        ("code: 012", "012"),
        ("code: '0120'", "0120"),
        ("code: 1e3", "1e3"),
        ("code: yes", "yes"),
        ("code: 1_000", "1_000"),
    ],
)
def test_a_code_is_the_text_that_stands_there(text: str, code: str) -> None:
    assert read_mapping(f"{HEAD}roles:\n  - {{ role: AR, {text} }}\n").roles[0].code == code


@pytest.mark.parametrize("duration, seconds", [("90s", 90), ("30m", 1800), ("72h", 259_200), ("7d", 604_800)])
def test_durations(duration: str, seconds: int) -> None:
    text = HEAD.replace("Berlin\n", f"Berlin\n  predecessor_deadline: {duration}\n")
    assert read_mapping(text).company.predecessor_deadline_seconds == seconds


def test_bank_numbers_are_compared_without_spaces() -> None:
    rows = "bank_accounts:\n  - { number: de02 1203 0000, journal: BNK1 }\n"
    assert read_mapping(HEAD + rows).bank_accounts[0].number == "DE0212030000"


# What stands after the head, and what is said of it: line, column, and words of the message.
REFUSED = [
    ("rolls: []", 6, 1, "unknown key 'rolls'"),
    ("roles: []\nroles: []", 7, 1, "the key 'roles' stands in line 6 already"),
    ("roles: {}", 6, 8, "roles must be a list"),
    ("roles:\n  - AR", 7, 5, "roles[0] must be a mapping"),
    ("roles:\n  - { role: AR }", 7, 5, "code is required"),
    ("roles:\n  - { role: AR, code: }", 7, 5, "code is required"),
    ("roles:\n  - { role: AR, code: '' }", 7, 23, "code is empty"),
    ("roles:\n  - { role: AR, code: [1] }", 7, 23, "code must be a text"),
    ("roles:\n  - { role: XYZ, code: 1 }", 7, 13, "role must be one of CLR"),
    ("roles:\n  - { role: AR, code: 1, colour: red }", 7, 26, "unknown key 'colour'"),
    ("roles:\n  - { role: AR, role: AP, code: 1 }", 7, 17, "the key 'role' stands in line 7 already"),
    ("roles:\n  - { role: AR, code: 1 }\n  - { role: AR, code: 2 }", 8, 5, "says again what line 7 says"),
    ("roles:\n  - { role: AR, account: acct_1, code: 1 }", 7, 26, "an account needs its provider"),
    ("roles:\n  - { role: AR, provider: adyen, code: 1 }", 7, 27, "sources does not name this provider account"),
    ("roles:\n  - { role: AR, provider: stripe, account: shop-1, code: 1 }", 7, 44, "sources does not name"),
    ("roles:\n  - { role: AR, currency: usd, code: 1 }", 7, 27, "not an ISO 4217 code"),
    ("journals:\n  - { role: BNK, code: BNK1 }", 7, 13, "role must be one of SAL"),
    ("bank_accounts:\n  - { number: A 1, journal: B }\n  - { number: a1, journal: C }", 8, 5, "says again what line 7"),
    ("taxes:\n  - { rate: 0.08, tax: T }", 7, 5, "provider is required"),
    ("taxes:\n  - { provider: shopify, rate: 8, tax: T }", 7, 32, "a rate is a fraction below 1"),
    ("taxes:\n  - { provider: shopify, rate: 8%, tax: T }", 7, 32, "not a fraction"),
    ("taxes:\n  - { provider: shopify, rate: 8e-2, tax: T }", 7, 32, "not a fraction"),
    ("taxes:\n  - { provider: shopify, rate: 0.08 }", 7, 5, "needs either tax or tax_id"),
    ("taxes:\n  - { provider: shopify, rate: 0.08, tax: T, tax_id: 1 }", 7, 43, "needs either tax or tax_id"),
    ("taxes:\n  - { provider: shopify, rate: 0.08, tax: T, use: import }", 7, 51, "use must be one of"),
    ("taxes:\n  - { provider: shopify, rate: 0.08, tax_id: T }", 7, 46, "not a record's id"),
    ("taxes:\n  - { provider: shopify, rate: 0.08, tax: T }\n  - { provider: shopify, rate: 0.080, tax: U }", 8, 5, "says again"),
    ("fees:\n  - { provider: stripe, kind: processing, role: AR }", 7, 49, "role must be one of DFE, FEE, FWH"),
    ("parties:\n  - { partner: P }", 7, 16, "needs external_ids or unidentified_for"),
    ("parties:\n  - { partner: P, external_ids: { adyen/x: [1] } }", 7, 33, "'adyen/x' is no issuer of sources"),
    ("parties:\n  - { partner: P, external_ids: { stripe/acct_1: 1 } }", 7, 50, "must be a list"),
    ("parties:\n  - { partner: P, unidentified_for: [adyen/x] }", 7, 37, "'adyen/x' is no issuer of sources"),
    ("parties:\n  - { partner: P, external_ids: { stripe/acct_1: [a] } }\n  - { partner: Q, external_ids: { stripe/acct_1: [a] } }", 8, 51, "says again what line 7"),
    ("parties:\n  - { partner: P, unidentified_for: [stripe/acct_1] }\n  - { partner: Q, unidentified_for: [stripe/acct_1] }", 8, 38, "says again what line 7"),
    ("parties:\n  - { partner: P, external_ids: { stripe/acct_1: [a] } }\n  - { partner: P, unidentified_for: [stripe/acct_1] }", 8, 5, "says again what line 7"),
    ("parties:\n  - { partner: P, external_ids: { stripe/acct_1: [a, a] } }", 7, 54, "says again what line 7"),
    ("products:\n  - { sku: A, product: B }\n  - { sku: A, product: C }", 8, 5, "says again what line 7"),
    ("roles: &a []\n", 6, 8, "anchors and aliases are not allowed"),
    ("roles: *a\n", 6, 8, "anchors and aliases are not allowed"),
    ("roles: !!python/object:os.system []\n", 6, 8, "tags are not allowed"),
    ("roles: [\n", 7, 1, "not YAML"),
    ("roles: [[[[[[[[[]]]]]]]]]\n", 6, 15, "nested too deeply"),
    ("? [a]\n: b\n", 6, 3, "a key must be a text"),
    ('roles:\n  - { role: AR, code: "1\\t2" }', 7, 23, "control characters"),
    ("---\nroles: []\n", 6, 1, "not YAML"),
]  # fmt: skip


@pytest.mark.parametrize("rest, line, column, message", REFUSED, ids=[message for *_, message in REFUSED])
def test_each_wrong_row_is_named_with_its_place(rest: str, line: int, column: int, message: str) -> None:
    with pytest.raises(MappingInvalid) as caught:
        read_mapping(HEAD + rest)
    (problem,) = caught.value.problems
    assert re.fullmatch(rf"line {line}, column {column}: .*", problem), problem
    assert message in problem


@pytest.mark.parametrize(
    "head, message",
    [
        ("", "the file must be a mapping"),
        ("- a\n", "the file must be a mapping"),
        ("\x00", "not YAML"),
        ("sources: []\n", "company is required"),
        ("company:\n", "company must be a mapping"),
        ("company: {}\n", "time_zone is required"),
        ("company: { time_zone: New York }\n", "not an IANA time zone"),
        ("company: { time_zone: ../../etc/passwd }\n", "not an IANA time zone"),
        ("company: { time_zone: America }\n", "not an IANA time zone"),
        ("company: { time_zone: localtime }\n", "not an IANA time zone"),
        ("company: { time_zone: right/UTC }\n", "not an IANA time zone"),
        ("company: { time_zone: UTC, approval_above: much }\n", "not an amount"),
        ("company: { time_zone: UTC, approval_above: -1 }\n", "not an amount"),
        ("company: { time_zone: UTC, late_event_policy: never }\n", "must be one of next_open_day, exception"),
        ("company: { time_zone: UTC, predecessor_deadline: 3 }\n", "not a duration"),
        ("company: { time_zone: UTC }\nsources: [{ provider: a/b, account: c }]\n", "no slash and no space"),
        ("company: { time_zone: UTC }\nsources: [{ provider: a, account: c, issuer: x }]\n", "provider/account"),
        ("company: { time_zone: UTC }\nsources: [{ provider: a, account: c }, \n { provider: a, account: c }]\n", "says again"),
        ("company: { time_zone: UTC }\n#" + "x" * 2**20, "longer than"),
    ],
)  # fmt: skip
def test_a_wrong_head_is_refused(head: str, message: str) -> None:
    with pytest.raises(MappingInvalid) as caught:
        read_mapping(head)
    assert message in str(caught.value)
    assert caught.value.problems[0].startswith("line ")


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    with pytest.raises(MappingInvalid) as caught:
        read_mapping(HEAD + "journals:\n  - { role: X, code: 1 }\nroles:\n  - { role: Y, code: 1 }\n  - { role: AR }\n")
    assert [problem.split(",")[0] for problem in caught.value.problems] == ["line 7", "line 9", "line 10"]


def test_a_thousand_problems_are_not_told_all() -> None:
    rows = "".join(f"  - {{ role: X{number}, code: 1 }}\n" for number in range(1000))
    with pytest.raises(MappingInvalid) as caught:
        read_mapping(f"{HEAD}roles:\n{rows}")
    assert len(caught.value.problems) == 50
