"""Rows of a CSV file, strictly: UTF-8, bounded lines, as many fields as the header, nothing repaired."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import BinaryIO

from libs.money import CURRENCIES, BadAmount, Money

from .errors import (
    FileEmpty,
    FileEncoding,
    FileTruncated,
    SettlementAmountInvalid,
    SettlementCurrencyUnknown,
    SettlementDateInvalid,
    SettlementHeaderInvalid,
    SettlementRowInvalid,
)

LINE_BYTES = 1024 * 1024
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)


class CsvRow:
    """One row of a settlement report by column; an empty field is an absent one. Raises `FormatError`."""

    def __init__(self, number: int, fields: dict[str, str]) -> None:
        self.number = number
        self.place = f"line {number}"
        self.fields = fields

    def text(self, name: str) -> str | None:
        return self.fields.get(name) or None

    def needed(self, name: str) -> str:
        text = self.text(name)
        if text is None:
            # A footer with totals looks like this; so does a row of another report.
            raise SettlementRowInvalid(f"{name} is empty", self.place)
        return text

    def currency(self, name: str) -> str:
        code = self.needed(name).upper()
        if code not in CURRENCIES:
            raise SettlementCurrencyUnknown(f"{name} is not an ISO 4217 currency", self.place)
        return code

    def amount(self, name: str, currency: str) -> Money:
        try:
            return Money.parse(currency, self.needed(name))
        except BadAmount:
            raise SettlementAmountInvalid(f"{name} is not an amount of its currency", self.place) from None

    def time(self, name: str, zone: tzinfo) -> datetime | None:
        """An ISO 8601 time, or a day's beginning; of `zone` unless it says its own."""
        text = self.text(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text) if _TIME.fullmatch(text) else None
            if moment is not None:
                moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
                moment.astimezone(UTC)  # the first and the last day there is have no UTC in some zones
        except (ValueError, OverflowError):
            moment = None
        if moment is None:
            raise SettlementDateInvalid(f"{name} is not a time", self.place)
        return moment


class Repeats:
    """The keys that a report has stated so far."""

    def __init__(self) -> None:
        self._contents: dict[str, int] = {}

    def has(self, key: str, row: CsvRow) -> bool:
        """Whether a row above is the same; raises `SettlementRowInvalid` if it has this key and says something else."""
        # A hash is enough to tell a repetition from a contradiction, and keeps a large report small.
        content = hash(tuple(row.fields.values()))
        known = self._contents.get(key)
        if known not in (None, content):
            raise SettlementRowInvalid("a balance transaction stands twice with different content", row.place)
        self._contents[key] = content
        return known is not None


def csv_rows(source: BinaryIO) -> tuple[list[str], Iterator[CsvRow]]:
    """The columns, and then each row, freed of white space around its fields. Empty lines are skipped.

    Raises `FormatError`, from the rows at the latest at the end.
    """
    records = _records(source)
    header = next(records, None)
    if header is None:
        raise FileEmpty("the file is empty")
    columns = [title.strip() for title in header[1]]
    if len(set(columns)) != len(columns):
        raise SettlementHeaderInvalid("a column is named twice", "line 1")
    return columns, _rows(columns, records)


def _rows(columns: list[str], records: Iterator[tuple[int, list[str]]]) -> Iterator[CsvRow]:
    for number, fields in records:
        if fields and len(fields) != len(columns):
            raise SettlementRowInvalid("the row has another number of columns than the header", f"line {number}")
        if fields:
            yield CsvRow(number, {column: field.strip() for column, field in zip(columns, fields, strict=True)})


def _records(source: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(_lines(source), strict=True)
    try:
        for record in reader:
            if any("\x00" in value for value in record):
                raise SettlementRowInvalid("a NUL character", f"line {reader.line_num}")
            yield reader.line_num, record
    except csv.Error as error:
        # The only end that `strict` complains of is one inside quotes.
        if "unexpected end of data" in str(error):
            raise FileTruncated("the report is cut off inside a quoted field") from None
        raise SettlementRowInvalid("not well-formed CSV", f"line {reader.line_num}") from None


def _lines(source: BinaryIO) -> Iterator[str]:
    """Decoded lines with their ends, which a quoted field may hold."""
    number = 0
    while raw := source.readline(LINE_BYTES):
        number += 1
        if len(raw) == LINE_BYTES:
            raise SettlementRowInvalid("the line is too long", f"line {number}")
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise FileEncoding("not UTF-8", f"line {number}") from None
