"""`concord inspect`: what a file holds and whether it would be refused; reads only, writes nothing.

`--summary` prints one JSON object a file, in the order given; a refusal is
`{"file", "error": {"reason", "message", "position"}}` and exit status 2 after the last file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from io import BufferedReader
from itertools import islice
from typing import Annotated, BinaryIO

import typer

from libs.errors import ConcordError
from libs.formats.camt import iter_camt, summaries
from libs.formats.errors import FileEmpty, FileUnreadable, FormatError, FormatUnknown
from libs.formats.heads import stripped
from libs.formats.statement import Finding, StatementEnd, StatementHeader, StatementLine, summary_json
from libs.formats.statement_json import to_json
from providers import PROVIDERS
from providers.base import ProviderRegistration, SettlementReport
from providers.totals import settlement_totals
from services.gateway.handlers.inspect_event import inspect_event

app = typer.Typer(help="Show what a file holds, without importing it.", no_args_is_help=True, add_completion=False)

REFUSED = 2
SHOWN_LINES = 20
MAX_EVENT_BYTES = 1024 * 1024
HEAD_BYTES = 4096

Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="One or more files.", show_default=False)]
Summary = Annotated[bool, typer.Option("--summary", help="Control totals as JSON, one object a file.")]
Json = Annotated[bool, typer.Option("--json", help="Everything as JSON, one object a line.")]


@app.command()
def statement(files: Files, summary: Summary = False, as_json: Json = False) -> None:
    """Bank statements: ISO 20022 camt.053, camt.052 and camt.054."""
    if summary:
        inspect_files(files, lambda name, file: [_object(name, {"statements": _statement_totals(file)})])
    elif as_json:
        inspect_files(files, _statement_objects)
    else:
        inspect_files(files, _statement_text)


@app.command()
def settlement(files: Files, summary: Summary = False, as_json: Json = False) -> None:
    """Settlements: what a provider's report says that its payouts pay. A file is known by its content."""
    if summary:
        inspect_files(files, lambda name, file: [_object(name, {"settlements": _settlement_totals(file)})])
    elif as_json:
        inspect_files(files, _settlement_objects)
    else:
        inspect_files(files, _settlement_text)


@app.command()
def event(
    files: Files,
    provider: Annotated[str, typer.Option(help=f"Whose message it is: {', '.join(PROVIDERS)}.")],
    topic: Annotated[str, typer.Option(help="What the provider's topic header says, if it has one.")] = "",
    summary: Summary = False,
    as_json: Json = False,
) -> None:
    """A partner's webhook body: the canonical events that it would give. No signature is asked for."""
    del summary, as_json  # the summary is all there is
    if provider not in PROVIDERS:
        raise ProviderUnknown(f"no provider {provider}; there are {', '.join(sorted(PROVIDERS))}")
    registration = PROVIDERS[provider]
    inspect_files(files, lambda name, file: [_object(name, _event(registration, file, topic))])


def _event(registration: ProviderRegistration, file: BinaryIO, topic: str) -> dict[str, object]:
    return inspect_event(registration, file.read(MAX_EVENT_BYTES + 1), datetime.now(UTC), topic=topic)


class ProviderUnknown(ConcordError):
    reason = "PROVIDER_UNKNOWN"


def inspect_files(files: Sequence[str], read: Callable[[str, BinaryIO], Iterable[str]]) -> None:
    """Print what `read` makes of each file, in order; exit with status 2 in the end if one was refused.

    `read` takes the file's name as given and the open file. It must raise before it yields: a file is refused whole.
    """
    refused = False
    for name in files:
        try:
            with _opened(name) as file:
                for line in read(name, file):
                    typer.echo(line)
        except BrokenPipeError:
            raise  # whoever reads what is printed has gone
        except OSError as error:
            # Also a pipe where the file is needed twice.
            refused = True
            typer.echo(_object(name, {"error": _unreadable(error).as_json()}))
        except ConcordError as error:
            refused = True
            position = error.position if isinstance(error, FormatError) else error.field
            typer.echo(_object(name, {"error": {"reason": error.reason, "message": str(error), "position": position}}))
    if refused:
        raise typer.Exit(REFUSED)


def _opened(name: str) -> BinaryIO:
    try:
        return open(name, "rb")  # the caller closes it
    except OSError as error:
        raise _unreadable(error) from None


def _unreadable(error: OSError) -> FileUnreadable:
    return FileUnreadable(f"cannot read the file: {error.strerror or 'it can be read only once'}")


def _object(name: str, content: dict[str, object]) -> str:
    # ASCII: names in the file may hold characters that turn a terminal's text round.
    return json.dumps({"file": name, **content}, ensure_ascii=True)


def _statement_totals(file: BinaryIO) -> list[dict[str, object]]:
    return [summary_json(header, end) for header, end in summaries(file)]


def _statement_objects(name: str, file: BinaryIO) -> Iterator[str]:
    """First a pass for refusals, so that nothing of a refused file is printed; then all of it as it is read."""
    for _ in summaries(file):
        pass
    file.seek(0)
    for part in iter_camt(file):
        kind = _PART_KINDS[type(part)]
        yield _object(name, {kind: to_json(part)})


_PART_KINDS: dict[type, str] = {StatementHeader: "statement", StatementLine: "line", StatementEnd: "end"}


def _statement_text(name: str, file: BinaryIO) -> Iterator[str]:
    totals = list(summaries(file))
    file.seek(0)
    parts = iter_camt(file)
    for header, end in totals:
        facts = summary_json(header, end)
        yield f"{printable(name)}: {header.format} {printable(header.statement_id)}"
        yield f"  account {printable(header.account.identification)}, currency {header.currency or 'not stated'}"
        yield (
            f"  {end.entries} booked, {end.not_booked} not booked; "
            f"credits {facts['credit_sum']}, debits {facts['debit_sum']}"
        )
        yield f"  opening {facts['opening']}, closing {facts['closing']}: {_TIES[end.ties]}"
        yield from _findings_text(end.findings)
        next(parts)  # the header
        lines = (part for part in iter(lambda: next(parts), None) if isinstance(part, StatementLine))
        shown = min(SHOWN_LINES, end.entries + end.not_booked)
        for line in islice(lines, shown):
            yield _line_text(line)
            yield from _findings_text(line.findings)
        hidden = end.entries + end.not_booked - shown
        if hidden:
            yield f"  ... and {hidden} more; --json shows all"
        while not isinstance(next(parts), StatementEnd):
            pass


_TIES = {True: "they tie", False: "THEY DO NOT TIE", None: "not enough balances for a proof"}


def _line_text(line: StatementLine) -> str:
    counterparty = next((detail.counterparty for detail in line.details if detail.counterparty), None)
    texts = [text for detail in line.details for text in (*detail.creditor_references, *detail.remittance)]
    return "  ".join(
        (
            "",
            str(line.effective_date or "no date   "),
            line.status.value,
            f"{line.amount.decimal():>14}",
            printable((counterparty.name or counterparty.account or "") if counterparty else "")[:30].ljust(30),
            printable(" / ".join(texts) or line.additional_information or "")[:60],
        )
    ).rstrip()


def _findings_text(findings: Iterable[Finding]) -> Iterator[str]:
    for finding in findings:
        place = f" ({finding.position})" if finding.position else ""
        yield f"    ! {finding.reason}: {finding.message}{place}"


def _report(file: BinaryIO) -> SettlementReport:
    """The report that the file is, by its first bytes. Raises `FileEmpty` or `FormatUnknown`."""
    head = file.peek(HEAD_BYTES) if isinstance(file, BufferedReader) else b""
    if not head:
        raise FileEmpty("the file is empty")
    for registration in PROVIDERS.values():
        for report in registration.reports:
            if report.matches(stripped(head)):
                return report
    raise FormatUnknown("no provider's settlement report", "line 1")


def _settlement_totals(file: BinaryIO) -> list[dict[str, object]]:
    return [totals.summary_json() for totals in settlement_totals(_report(file), file)]


def _settlement_objects(name: str, file: BinaryIO) -> Iterator[str]:
    report = _report(file)
    settlement_totals(report, file)
    file.seek(0)
    for line in report.lines(file, UTC):
        yield _object(name, {"line": to_json(line)})


def _settlement_text(name: str, file: BinaryIO) -> Iterator[str]:
    for totals in settlement_totals(_report(file), file):
        facts = totals.summary_json()
        yield f"{printable(name)}: {facts['format']} {printable(totals.id or 'without payout')}, {totals.currency}"
        yield f"  {totals.lines} lines: gross {facts['gross']}, fees {facts['fees']}, net {facts['net']}"
        yield f"  paid out {facts['payouts']}"
        yield from _findings_text(totals.findings)


def printable(text: str) -> str:
    """The text with everything escaped that could steer a terminal or hide what stands there."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
