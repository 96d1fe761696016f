"""XML from strangers, read in pieces: no document type, no entities, no network, bounded depth and memory.

The reader of a format names the elements that it wants; each is handed over when it is complete, and the reader
frees it with `release`. Between two such elements at most `UNIT_BYTES` may pass, so memory is bounded by the largest
element and not by the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Literal, cast

from lxml import etree

from .errors import (
    FileEmpty,
    FileTruncated,
    FormatError,
    FormatUnknown,
    XmlDoctypeForbidden,
    XmlEncoding,
    XmlMalformed,
    XmlTooDeep,
    XmlTooLarge,
)

CHUNK_BYTES = 64 * 1024
UNIT_BYTES = 4 * 1024 * 1024
# libxml2 allows 256 levels; a camt message has about fifteen.

# All of them agree with ASCII on the prolog (UTF-16 is decoded first), so no DOCTYPE can hide from `_check_prolog`.
_ENCODINGS = re.compile(
    r"utf-?8|utf-?16(le|be)?|(us-)?ascii|iso-?8859-\d{1,2}|latin1|windows-125\d|cp125\d", re.I | re.A
)
_DECLARED = re.compile(r"""\bencoding\s*=\s*["']([^"']*)["']""")
_WEB_PAGE = re.compile(r"<!doctype\s+html\b", re.IGNORECASE)
_WHITE = " \t\r\n"

# libxml2's numbers; lxml offers their names only on the error log's entries.
_RESOURCE_LIMIT = 114
_ENCODING_ERRORS = frozenset({31, 32, 81})  # unknown encoding, unsupported encoding, invalid bytes


def release(element: etree._Element) -> None:
    """Free an element that has been read, and everything before it in its parent.

    The element's own tail stays: the parser may still be writing to it.
    """
    element.clear(keep_tail=True)  # type: ignore[call-arg]  # the stubs are older than lxml
    parent = element.getparent()
    if parent is None:
        return
    while element.getprevious() is not None:
        del parent[0]


class XmlStream:
    """A document opened and found harmless so far. Raises `FormatError` on construction if it is not XML."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._head = _read_exactly(source, CHUNK_BYTES)
        self._whole = len(self._head) < CHUNK_BYTES
        _check_packed(self._head)
        _check_prolog(self._head, self._whole)
        self.root, self.namespaces = self._first_element()

    def first_named(self, name: str) -> str | None:
        """The tag of the first element of that local name among the file's first bytes, in Clark notation."""
        parser = _new_parser(("start",), [f"{{*}}{name}"])
        try:
            parser.feed(self._head)
        except etree.XMLSyntaxError as error:
            raise _refusal(error) from None
        return next((str(element.tag) for _, element in _read(parser)), None)

    def events(self, starts: Sequence[str], ends: Sequence[str]) -> Iterator[tuple[str, etree._Element]]:
        """`("start" | "end", element)` for the wanted tags in Clark notation, in document order.

        Raises `FormatError` where the document is not well-formed, is cut off, or holds too much between two wanted
        elements: what was yielded before must not be kept then.
        """
        parser = _new_parser(("start", "end"), sorted({*starts, *ends}))
        wanted = {("start", tag) for tag in starts} | {("end", tag) for tag in ends}
        chunk = self._head
        since_event = passed = 0
        checked = False  # a second look, should a declaration ever pass `_check_prolog`
        while chunk:
            since_event += len(chunk)
            passed += len(chunk)
            try:
                parser.feed(chunk)
            except etree.XMLSyntaxError as error:
                raise _refusal(error) from None
            for event, element in _read(parser):
                if not checked and element.getroottree().docinfo.internalDTD is not None:
                    raise XmlDoctypeForbidden("a document type declaration is not accepted")
                checked = True
                if (event, element.tag) in wanted:
                    since_event = 0
                    yield event, element
            if since_event > UNIT_BYTES:
                raise XmlTooLarge("an element is too large to be read", f"before byte {passed}")
            chunk = self._source.read(CHUNK_BYTES)
        try:
            parser.close()
        except etree.XMLSyntaxError as error:
            # An undeclared entity is found wanting only here, without a place of its own.
            if error.position == (0, 0):
                seen = parser.feed_error_log.last_error
                where = f"line {seen.line}, column {seen.column}" if seen is not None else None
                raise XmlMalformed("an entity is not declared", where) from None
            raise FileTruncated("the document is cut off", _line(error)) from None

    def _first_element(self) -> tuple[str, dict[str | None, str]]:
        parser = _new_parser(("start",), None)
        try:
            parser.feed(self._head)
        except etree.XMLSyntaxError as error:
            raise _refusal(error) from None
        for _, element in _read(parser):
            return str(element.tag), dict(element.nsmap)
        if self._whole:
            raise FileTruncated("the document is cut off before its first element")
        raise XmlMalformed("no element at the start of the file")


def _read(parser: etree.XMLPullParser) -> Iterator[tuple[str, etree._Element]]:
    """The parser's pending events; only start and end are asked for, and those carry elements."""
    return cast(Iterator[tuple[str, etree._Element]], parser.read_events())


def _new_parser(events: tuple[Literal["start", "end"], ...], tags: list[str] | None) -> etree.XMLPullParser:
    return etree.XMLPullParser(
        events=events,
        tag=tags,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )


def _read_exactly(source: BinaryIO, size: int) -> bytes:
    """`size` bytes, or all there are: a pipe may give less at a time."""
    parts: list[bytes] = []
    while size > 0 and (part := source.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _check_packed(head: bytes) -> None:
    """What banks' portals hand out in the place of the file itself, by name: the sender can do something about it."""
    for beginning, advice in _PACKED.items():
        if head.startswith(beginning):
            raise FormatUnknown(advice)


_PACKED = {
    b"PK\x03\x04": "the file is a zip archive; unpack it and send each file in it",
    b"\x1f\x8b": "the file is compressed by gzip; unpack it and send the file in it",
    b"%PDF": "the file is a PDF; ask for the statement as camt.053",
}


def _check_prolog(head: bytes, whole: bool) -> None:
    """Refuse what must not reach the parser: other encodings, anything that is not XML, document types."""
    text = _decoded(head)
    place = 0
    while True:
        while place < len(text) and text[place] in _WHITE:
            place += 1
        if place == len(text):
            raise FileEmpty("the file is empty") if whole else FormatUnknown("nothing but white space at the start")
        if text.startswith("<?", place):
            close = text.find("?>", place)
            if text.startswith("<?xml", place):
                _check_declared_encoding(text[place : close if close > 0 else len(text)])
            width = 2
        elif text.startswith("<!--", place):
            close = text.find("-->", place + 4)
            width = 3
        elif text.startswith("<!", place):
            raise _refused_declaration(text, place)
        elif text.startswith("<", place):
            return
        else:
            raise FormatUnknown("the file is not XML")
        if close < 0:
            raise FileTruncated("the document is cut off") if whole else XmlMalformed("the prolog does not end")
        place = close + width


def _decoded(head: bytes) -> str:
    if head.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        raise XmlEncoding("UTF-32 is not accepted")
    if head.startswith(b"\xef\xbb\xbf"):
        return head[3:].decode("latin-1")
    if head.startswith((b"\xff\xfe", b"<\x00")):
        return head.decode("utf-16-le", "replace").removeprefix("\ufeff")
    if head.startswith((b"\xfe\xff", b"\x00<")):
        return head.decode("utf-16-be", "replace").removeprefix("\ufeff")
    return head.decode("latin-1")


def _check_declared_encoding(declaration: str) -> None:
    found = _DECLARED.search(declaration)
    if found and not _ENCODINGS.fullmatch(found[1].strip()):
        raise XmlEncoding("the declared encoding is not accepted", "line 1")


def _refused_declaration(text: str, place: int) -> FormatError:
    # A proxy's error page saved as a statement is no attack and deserves the plainer reason.
    if _WEB_PAGE.match(text, place):
        return FormatUnknown("the file is a web page")
    line = text.count("\n", 0, place) + 1
    return XmlDoctypeForbidden("a document type declaration is not accepted", f"line {line}")


def _refusal(error: etree.XMLSyntaxError) -> FormatError:
    """libxml2's error as one of ours; its text may quote the file and is left out."""
    where = _line(error)
    code: int = error.code  # type: ignore[attr-defined]
    if code == _RESOURCE_LIMIT:
        if "depth" in str(error.msg):
            return XmlTooDeep("elements are nested too deeply", where)
        return XmlTooLarge("a parser limit is exceeded", where)
    if code in _ENCODING_ERRORS:
        return XmlEncoding("bytes are not of the declared encoding", where)
    return XmlMalformed("the XML is not well-formed", where)


def _line(error: etree.XMLSyntaxError) -> str:
    line, column = error.position
    return f"line {line}, column {column}"
