"""`concord inspect`: control totals, refusals, and memory that does not grow with the file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.inspect import app

from .camt_files import balance, detail, document, entry
from .samples import REPOSITORY

MEMORY_LIMIT_KIB = 300 * 1024
FILE_BYTES = 200 * 1024 * 1024

GOOD = document(balance("OPBD", "1.00"), balance("CLBD", "-1.00"), entry("-2.00", detail("-2.00")))
REPORT = (
    "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,automatic_payout_id\n"
    "txn_1,2026-01-01 00:00:00,eur,10.00,1.00,9.00,charge,po_1\n"
)


def run(*arguments: str) -> tuple[int, list[dict[str, object]]]:
    """Exit status and the JSON objects printed."""
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    contents = {"good.xml": GOOD, "cut.xml": GOOD[:-20], "report.csv": REPORT.encode(), "empty.csv": b""}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {name: str(tmp_path / name) for name in [*contents, "absent.xml"]}


STATEMENT = {
    "format": "camt.053.001.08",
    "id": "S1",
    "account": "DE89370400440532013000",
    "currency": "EUR",
    "entries": 1,
    "credit_sum": "0.00",
    "debit_sum": "2.00",
    "opening": "1.00",
    "closing": "-1.00",
    "ties": True,
}


def test_a_summary_prints_the_control_totals_of_a_statement(files: dict[str, str]) -> None:
    assert run("statement", "--summary", files["good.xml"]) == (
        0,
        [{"file": files["good.xml"], "statements": [STATEMENT]}],
    )


def test_several_files_are_answered_in_order_and_a_refusal_sets_the_status_in_the_end(files: dict[str, str]) -> None:
    names = [files["cut.xml"], files["good.xml"], files["absent.xml"]]
    status, answers = run("statement", "--summary", *names)
    assert status == 2
    assert [answer["file"] for answer in answers] == names
    assert answers[0]["error"] == {
        "reason": "FILE_TRUNCATED",
        "message": "the document is cut off",
        "position": answers[0]["error"]["position"],  # type: ignore[index]
    }
    assert answers[1]["statements"] == [STATEMENT]
    assert answers[2]["error"]["reason"] == "FILE_UNREADABLE"  # type: ignore[index]


def test_a_file_that_can_be_read_only_once_is_summed_up_or_refused(tmp_path: Path) -> None:
    def inspect(option: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "cli", "inspect", "statement", option, "/dev/stdin"]
        return subprocess.run(command, input=GOOD, capture_output=True, cwd=REPOSITORY, check=False)

    assert json.loads(inspect("--summary").stdout)["statements"] == [STATEMENT]
    twice = inspect("--json")
    assert twice.returncode == 2
    assert json.loads(twice.stdout)["error"]["reason"] == "FILE_UNREADABLE"


def test_a_summary_prints_the_control_totals_of_a_settlement(files: dict[str, str]) -> None:
    status, answers = run("settlement", "--summary", files["report.csv"], files["empty.csv"])
    assert status == 2
    assert answers[0]["settlements"] == [
        {"format": "stripe.itemized", "id": "po_1", "currency": "EUR", "lines": 1, "gross": "10.00", "fees": "1.00",
         "net": "9.00", "payouts": "9.00"}
    ]  # fmt: skip
    assert answers[1]["error"]["reason"] == "FILE_EMPTY"  # type: ignore[index]


def test_json_gives_every_part_of_an_accepted_file_and_nothing_of_a_refused_one(files: dict[str, str]) -> None:
    status, answers = run("statement", "--json", files["good.xml"], files["cut.xml"])
    assert status == 2
    assert [set(answer) - {"file"} for answer in answers] == [{"statement"}, {"line"}, {"end"}, {"error"}]
    status, answers = run("settlement", "--json", files["report.csv"])
    assert (status, [set(answer) - {"file"} for answer in answers]) == (0, [{"line"}])


def test_text_shows_totals_and_lines_and_hides_nothing_that_does_not_tie(files: dict[str, str], tmp_path: Path) -> None:
    name = detail("1.00", "<RltdPties><Dbtr><Pty><Nm>a\u202eb</Nm></Pty></Dbtr></RltdPties>")
    parts = [balance("OPBD", "1.00"), balance("CLBD", "1.00"), *[entry("1.00", name)] * 25]
    (tmp_path / "many.xml").write_bytes(document(*parts))
    result = CliRunner().invoke(app, ["statement", str(tmp_path / "many.xml"), files["good.xml"]])
    assert result.exit_code == 0
    assert "25 booked" in result.stdout
    assert "THEY DO NOT TIE" in result.stdout
    assert "BALANCES_DO_NOT_TIE" in result.stdout
    assert "and 5 more" in result.stdout
    assert "they tie" in result.stdout
    assert "a\\u202eb" in result.stdout
    assert "\u202e" not in result.stdout
    result = CliRunner().invoke(app, ["settlement", files["report.csv"]])
    assert "gross 10.00, fees 1.00, net 9.00" in result.stdout


def large_statement(path: Path, size: int) -> int:
    """A statement of about `size` bytes with batches among its entries; returns its number of entries."""
    more = "<RltdPties><Dbtr><Pty><Nm>Example Customer {0}</Nm></Pty></Dbtr><DbtrAcct><Id><IBAN>DE02120300000000202051"
    more += "</IBAN></Id></DbtrAcct></RltdPties><RmtInf><Ustrd>Invoice {0}</Ustrd></RmtInf>"
    refs = "<Refs><EndToEndId>E2E-{0}</EndToEndId></Refs>"
    code = "<AcctSvcrRef>A-{0}</AcctSvcrRef><BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd>"
    code += "</Fmly></Domn></BkTxCd>"
    single = [
        entry("1.00", f"<TxDtls>{refs}{detail('1.00')[8:-9]}{more}</TxDtls>".format(number), more=code.format(number))
        for number in range(999)
    ]
    batch = entry("3000.00", (detail("1.00", refs + more) * 3000).format("B"), more=code.format("B"))
    block = "".join([*single, batch])
    repeats = size // len(block)
    units = repeats * (999 + 3000)
    opening, closing = balance("OPBD", "0.00"), balance("CLBD", f"{units}.00")
    start, end = document("@").decode().split("@")
    with path.open("w") as file:
        file.write(start + opening)
        for _ in range(repeats):
            file.write(block)
        file.write(closing + end)
    return repeats * 1000


# The process's own high-water mark: what the kernel tells its parent would include the parent it was forked from.
TELLS_ITS_MEMORY = """
import pathlib, re, sys
from cli.inspect import app
try:
    app()
finally:
    print(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1], file=sys.stderr)
"""


def test_a_statement_of_200_mb_is_summed_up_in_under_300_mb(tmp_path: Path) -> None:
    path = tmp_path / "large.xml"
    entries = large_statement(path, FILE_BYTES)
    assert path.stat().st_size > FILE_BYTES * 0.95
    command = [sys.executable, "-c", TELLS_ITS_MEMORY, "statement", "--summary", str(path)]
    with (tmp_path / "out.json").open("wb") as out:
        child = subprocess.run(command, cwd=REPOSITORY, stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    path.unlink()
    assert child.returncode == 0
    (summary,) = json.loads((tmp_path / "out.json").read_text())["statements"]
    assert (summary["entries"], summary["ties"]) == (entries, True)
    assert int(child.stderr.split()[-1]) < MEMORY_LIMIT_KIB
