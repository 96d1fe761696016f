"""JSON bodies are read in one way only, or refused with a stable reason in bounded time."""

from __future__ import annotations

import json
import time
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from libs.formats.errors import FormatError
from libs.formats.strict_json import parse_json

from .samples import samples_folder

JSON = ("malformed", "handmade", "json")

# None: one unambiguous object; what its values mean is for the provider module to judge.
EXPECTED: dict[str, str | None] = {
    "array-instead-of-object.json": "JSON_NOT_AN_OBJECT",
    "bom.json": None,
    "concatenated.json": "JSON_MALFORMED",
    "deep.json": "JSON_TOO_DEEP",
    "empty-object.json": None,
    "latin1.json": "JSON_ENCODING",
    "lone-surrogate.json": "JSON_ENCODING",
    "paypal-amount-comma.json": None,
    "proto-pollution.json": None,
    "stripe-big-exponent.json": "JSON_NUMBER_INVALID",
    "stripe-duplicate-keys.json": "JSON_DUPLICATE_KEY",
    "stripe-float-amount.json": None,
    "stripe-huge-int.json": None,
    "stripe-nan.json": "JSON_NUMBER_INVALID",
    "stripe-negative-zero.json": None,
    "stripe-string-amount.json": None,
    "stripe-three-decimal-kwd.json": None,
    "stripe-unknown-currency.json": None,
    "stripe-unknown-type.json": None,
    "stripe-zero-decimal-jpy.json": None,
    "truncated.json": "JSON_MALFORMED",
}


def reason_of(data: bytes) -> str | None:
    try:
        parse_json(data)
    except FormatError as error:
        return error.reason
    return None


@pytest.mark.parametrize("name", EXPECTED)
def test_a_malformed_sample_is_read_or_refused_as_the_table_says(name: str) -> None:
    assert reason_of((samples_folder(*JSON) / name).read_bytes()) == EXPECTED[name]


def test_no_sample_is_missing_from_the_table() -> None:
    assert {path.name for path in samples_folder(*JSON).glob("*.json")} == set(EXPECTED)


def amounts(name: str) -> list[object]:
    body = parse_json((samples_folder(*JSON) / name).read_bytes())
    data = body["data"]
    assert isinstance(data, dict)
    return [data["object"]["amount"], data["object"].get("amount_received")]


def test_numbers_keep_their_kind_so_that_a_caller_can_refuse_them() -> None:
    assert amounts("stripe-huge-int.json") == [2**63, 2**63]
    assert amounts("stripe-string-amount.json") == ["1000", "1000"]
    fraction, whole = amounts("stripe-float-amount.json")
    assert (fraction, whole) == (Decimal("10.10"), Decimal("1010.0"))
    assert not isinstance(whole, int)
    zero, negative = amounts("stripe-negative-zero.json")
    assert (zero, str(zero)) == (0, "0")
    assert isinstance(negative, Decimal)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a": 1}', None),
        (b'\xef\xbb\xbf{"a": 1}', None),
        (b' {"a": [true, false, null, "x", 1.5e3]} \n', None),
        (b'{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}', None),
        (b'{"a": "[[[[[[[[{{{{{\\"[[["}', None),
        (b"", "FILE_EMPTY"),
        (b" \n", "FILE_EMPTY"),
        (b"\xef\xbb\xbf", "FILE_EMPTY"),
        (b"null", "JSON_NOT_AN_OBJECT"),
        (b'"text"', "JSON_NOT_AN_OBJECT"),
        (b"[]", "JSON_NOT_AN_OBJECT"),
        (b"{} {}", "JSON_MALFORMED"),
        (b'{"a": 1,}', "JSON_MALFORMED"),
        (b"{'a': 1}", "JSON_MALFORMED"),
        (b'{"a": 01}', "JSON_MALFORMED"),
        (b'{"a": +1}', "JSON_MALFORMED"),
        (b'{"a": "\n"}', "JSON_MALFORMED"),
        (b'{"a": "\x00"}', "JSON_MALFORMED"),
        (b'{"a": "\\x"}', "JSON_MALFORMED"),
        (b"// x\n{}", "JSON_MALFORMED"),
        ('{"a": 1}'.encode("utf-16"), "JSON_ENCODING"),
        ('{"a": 1}'.encode("utf-16-le"), "JSON_MALFORMED"),
        (b'{"a": "\xed\xa0\x80"}', "JSON_ENCODING"),  # a surrogate as bytes
        (b'{"a": "\\udc00\\ud800"}', "JSON_ENCODING"),
        (b'{"\\ud800": 1}', "JSON_ENCODING"),
        (b'{"a": ["\\ud800"]}', "JSON_ENCODING"),
        (b'{"a": "\\ud83d\\ude00"}', None),
        (b'{"a": 1, "a": 1}', "JSON_DUPLICATE_KEY"),
        (b'{"b": {"a": 1, "\\u0061": 2}}', "JSON_DUPLICATE_KEY"),
        (b'{"a": -Infinity}', "JSON_NUMBER_INVALID"),
        (b'{"a": 1e309}', "JSON_NUMBER_INVALID"),
        (b'{"a": 1e-999999999}', "JSON_NUMBER_INVALID"),
        (b'{"a": 1e99999999999999999999999999}', "JSON_NUMBER_INVALID"),
        (b'{"a": 1' + b"0" * 64 + b"}", "JSON_NUMBER_INVALID"),
        (b'{"a": 0.' + b"1" * 64 + b"}", "JSON_NUMBER_INVALID"),
        (b'{"a":' * 63 + b"1" + b"}" * 63, None),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "JSON_TOO_DEEP"),
        (b'{"a": ' + b" " * 1024 * 1024 + b"1}", "FILE_TOO_LARGE"),
    ],
)
def test_a_body_is_one_clear_object_or_refused(data: bytes, reason: str | None) -> None:
    assert reason_of(data) == reason


def test_nul_cannot_be_stored_and_is_replaced() -> None:
    assert parse_json(b'{"a\\u0000": ["b\\u0000c"]}') == {"a\ufffd": ["b\ufffdc"]}


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":"' + b'\\"' * 500_000,
        b'"' * 1_000_000,
        b'\\"' * 500_000,
        b"[" * 1_000_000,
        b'{"a":' + b"9" * 1_000_000 + b"}",
        b'{"a":"' + b"\\u0000" * 170_000 + b'"}',
        b'{"a":[' + b"0," * 500_000 + b"0]}",
        b"{" + b",".join(b'"%d":0' % number for number in range(90_000)) + b"}",
    ],
)
def test_a_hostile_body_costs_little_time(data: bytes) -> None:
    begun = time.perf_counter()
    reason_of(data)
    assert time.perf_counter() - begun < 3


def by_the_standard_library(data: bytes) -> object:
    """The oracle: slower, and the same rules. Raises `ValueError` for what is not one clear object."""

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError("a key twice")
        return dict(pairs)

    def never(name: str) -> object:
        raise ValueError(name)

    text = data.decode().removeprefix("\ufeff")
    value = json.loads(text, object_pairs_hook=once, parse_float=Decimal, parse_constant=never)
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


NUMBERS = st.one_of(
    st.integers(-(10**30), 10**30).map(str), st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
)  # fmt: skip
TEXTS = st.text(max_size=6).map(lambda text: json.dumps(text, ensure_ascii=False))
KEYS = st.sampled_from(['"a"', '"b"', '"id"', '"a:"', '"\\""'])
SPACE = st.sampled_from(["", "", " ", "\n", " \t"])


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(KEYS, SPACE, SPACE, inner).map(lambda it: f"{it[0]}{it[1]}:{it[2]}{it[3]}")
    return st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]"),
        st.tuples(st.lists(pair, max_size=4), SPACE).map(lambda it: "{" + f"{it[1]},".join(it[0]) + "}"),
    )


DOCUMENTS = st.recursive(st.one_of(NUMBERS, TEXTS, st.sampled_from(["true", "false", "null", "NaN"])), _nested, max_leaves=8)  # fmt: skip


@given(DOCUMENTS, st.lists(st.tuples(st.integers(0, 200), st.binary(min_size=0, max_size=2)), max_size=2))
@settings(max_examples=400, deadline=None)
def test_whichever_way_a_body_is_read_the_outcome_is_the_same(document: str, damage: list[tuple[int, bytes]]) -> None:
    data = document.encode()
    for place, put in damage:
        data = data[: place % (len(data) + 1)] + put + data[place % (len(data) + 1) + 1 :]
    assume(b"\\u" not in data)
    try:
        expected = by_the_standard_library(data)
    except ValueError:
        with pytest.raises(FormatError):
            parse_json(data)
    else:
        found = parse_json(data)
        assert repr(found) == repr(expected)  # kinds too: 1 is not 1.0
