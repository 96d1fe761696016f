"""Bank statements, reports and notifications of ISO 20022 (camt.053, camt.052, camt.054), versions 1 to 13.

The file is read once, entry by entry, in bounded memory. Whatever was yielded before an error must be thrown away:
a statement is imported as a whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from .camt_detail import DetailReader
from .camt_entry import CamtEntry, entry_of_detail
from .camt_statement import Statement
from .camt_values import Element, Names, refuse
from .errors import FormatError, FormatUnknown, StatementEmpty, StatementStructure, VersionUnsupported
from .statement import StatementEnd, StatementHeader, StatementPart
from .xml_stream import XmlStream, release

_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(camt\.05[234]\.001\.(\d\d))")
_CONTAINERS = {"camt.052": "Rpt", "camt.053": "Stmt", "camt.054": "Ntfctn"}
_VERSIONS = range(1, 14)


def iter_camt(source: BinaryIO) -> Iterator[StatementPart]:
    """Each statement as a header, its lines in order, and an end; raises `FormatError`, at the latest at the end."""
    return _CamtReader(source, keep_details=True).parts()


def summaries(source: BinaryIO) -> Iterator[tuple[StatementHeader, StatementEnd]]:
    """Control totals of each statement, with the same checks and refusals as `iter_camt`."""
    header: StatementHeader | None = None
    for part in _CamtReader(source, keep_details=False).parts():
        if isinstance(part, StatementHeader):
            header = part
        elif isinstance(part, StatementEnd) and header is not None:
            yield header, part


class _CamtReader:
    def __init__(self, source: BinaryIO, keep_details: bool) -> None:
        self._keep_details = keep_details
        self._stream = XmlStream(source)
        root = self._stream.root
        if not root.endswith("}Document"):
            root = self._stream.first_named("Document") or root  # in a business message envelope, behind its head.001
        self._document = root
        namespace = root.rpartition("}")[0].removeprefix("{")
        self._format = _format_of(root, namespace)
        self._names = Names(namespace)
        self._container = _CONTAINERS[self._format[:8]]
        self._message_id: str | None = None
        self._count = 0
        self._statement: Statement | None = None
        self._entry: CamtEntry | None = None
        self._entry_number = 0  # of the entry at hand, for positions

    def parts(self) -> Iterator[StatementPart]:
        prefix = self._names.prefix
        names = ["GrpHdr", "Ntry", "TxDtls", self._container]
        for event, element in self._stream.events([prefix + self._container], [prefix + name for name in names]):
            try:
                yield from self._handle(event, element)
            except FormatError as error:
                place = self._place()
                raise (error.within(place) if place else error) from None
        if self._count == 0:
            raise StatementEmpty("the message holds no statement")

    def _handle(self, event: str, element: Element) -> Iterator[StatementPart]:
        name = self._names.local(element)
        if event == "start":
            self._open(element)
        elif name == "GrpHdr":
            self._message_id = self._names.text(element, "MsgId")
            release(element)
        elif name == "TxDtls":
            self._entry_at(entry_of_detail(self._names, element)).add(element)
            release(element)
        elif name == "Ntry":
            yield from self._close_entry(element)
        else:
            yield from self._close(element)

    def _open(self, element: Element) -> None:
        message = element.getparent()
        document = None if message is None else message.getparent()
        if self._statement is not None or document is None or not self._is_document(document):
            raise refuse(StatementStructure, "a statement where none may stand", element)
        self._count += 1
        self._statement = Statement(self._names, element, self._format, self._count, self._message_id)

    def _is_document(self, element: Element) -> bool:
        """Whether it is the whole file, or the content of an envelope that is the whole file."""
        envelope = element.getparent()
        return element.tag == self._document and (
            envelope is None or (self._stream.root != self._document and envelope.getparent() is None)
        )

    def _entry_at(self, element: Element) -> CamtEntry:
        """The entry being read, begun at its first transaction or at its end."""
        statement = self._statement
        if statement is None or element.getparent() is not statement.element:
            raise refuse(StatementStructure, "an entry outside of a statement", element)
        if self._entry is None:
            statement.drain(element)  # what stands before the entry is no part of it, nor are its faults
            self._entry_number = statement.count + 1
            details = DetailReader(self._names, statement.account.identification)
            self._entry = CamtEntry(self._names, element, details, self._keep_details)
        elif self._entry.element is not element:
            raise refuse(StatementStructure, "an entry inside of another", element)
        return self._entry

    def _close_entry(self, element: Element) -> Iterator[StatementPart]:
        entry = self._entry_at(element)
        statement = self._statement
        assert statement is not None  # _entry_at has refused it
        line = entry.line(statement.count + 1, statement.day)
        self._entry = None
        if statement.count == 0:
            yield statement.header(line)
        yield statement.add(line, element)
        release(element)
        self._entry_number = 0

    def _close(self, element: Element) -> Iterator[StatementPart]:
        statement = self._statement
        if statement is None or statement.element is not element:
            raise refuse(StatementStructure, "a statement where none may stand", element)
        statement.drain(None)
        if statement.count == 0:
            yield statement.header(None)
        yield statement.end()
        self._statement = None
        release(element)

    def _place(self) -> str:
        if self._statement is None:
            return ""
        place = f"statement {self._count}"
        if self._entry_number:
            place += f", entry {self._entry_number}"
        return place


def _format_of(root: str, namespace: str) -> str:
    """`camt.053.001.08`; raises for anything that is not a known message and version."""
    match = _NAMESPACE.fullmatch(namespace)
    if match is None or not root.endswith("}Document"):
        raise FormatUnknown("not an ISO 20022 bank statement, report or notification")
    if int(match[2]) not in _VERSIONS:
        raise VersionUnsupported(f"{match[1]} is not a known version")
    return match[1]
