"""The shared cases of reading and of sequences, played in place: each row's expectation against what comes."""

from __future__ import annotations

import csv
import json
import os
from io import BytesIO
from pathlib import Path

import pytest

from libs.errors import ConcordError
from libs.formats.camt import summaries
from libs.formats.errors import FormatError
from libs.formats.statement import summary_json
from tests.formats.samples import REPOSITORY
from tests.recon.world import World

FOLDER = Path(os.environ.get("CONCORD_CASES") or REPOSITORY.parent / "shared" / "cases") / "bank"
SHOWN = ("entries", "credit_sum", "debit_sum", "opening", "closing", "ties")


def _rows(folder: str) -> list[dict[str, str]]:
    table = FOLDER / "CASES.tsv"
    if not table.is_file():
        return []
    with table.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file, delimiter="\t") if row["input_file"].startswith(f"{folder}/")]


FORMATS, SEQUENCES = _rows("formats"), _rows("sequences")


@pytest.fixture(autouse=True)
def _cases() -> None:
    if not FORMATS:
        pytest.skip("no cases: bank")


def test_the_cases_are_known() -> None:
    assert {row["input_file"] for row in SEQUENCES} == set(TOLD)


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: f"{row['n']}-{row['input_file']}")
def test_a_file_is_read_and_imported_as_its_row_expects(world: World, row: dict[str, str]) -> None:
    content = (FOLDER / row["input_file"]).read_bytes()
    words = row["expected"].rpartition(" | ")[2]
    if words.startswith("refuse:"):
        for read in (lambda: list(summaries(BytesIO(content))), lambda: world.statement(content)):
            with pytest.raises(FormatError) as caught:
                read()
            assert words.removeprefix("refuse:") in ("*", caught.value.reason)
        return
    totals = [summary_json(header, end) for header, end in summaries(BytesIO(content))]
    if words.startswith("["):
        assert [{name: statement[name] for name in SHOWN} for statement in totals] == json.loads(words)
    answer = world.statement(content)
    with world.recon.new_uow(read_only=True) as uow:
        assert [uow.statements.get(name).ties for name in answer.statements] == [each["ties"] for each in totals]
    world.run("record")
    assert len(world.ledger.events) == sum(int(str(each["entries"])) for each in totals)


# By input: how many lines are posted, and what a person is told; where it names both, either is right.
TOLD = {
    "sequences/s4_no5.xml,sequences/s4_no7.xml": (2, "STATEMENT_MISSING"),
    "sequences/s5_evening.xml,sequences/s5_morning.xml": (2, "LINE_CONTRADICTED"),
    "sequences/s8a.xml,sequences/s8b.xml": (2, "LINE_AMBIGUOUS"),
    "sequences/s10_month.xml,sequences/s10_week.xml": (1, "LINE_REPEATED"),
    "sequences/s12.xml": (1, ""),
}


@pytest.mark.parametrize("row", SEQUENCES, ids=lambda row: f"{row['n']}-{row['input_file']}")
def test_a_sequence_of_files_loses_and_doubles_no_line_in_silence(world: World, row: dict[str, str]) -> None:
    posted, reason = TOLD[row["input_file"]]
    # The table lists files by name; the day's morning comes before its evening.
    for name in sorted(row["input_file"].split(","), key=lambda name: "evening" in name):
        world.statement((FOLDER / name).read_bytes())
    world.run()
    told = {found.reason for found in world.differences()}
    is_right = len(world.ledger.events) == posted
    assert reason in told or (is_right and reason != "STATEMENT_MISSING"), (len(world.ledger.events), told)


def test_an_account_has_one_company(world: World) -> None:
    content = (FOLDER / "sequences/s12.xml").read_bytes()
    world.statement(content)
    with pytest.raises(ConcordError, match="another company"):
        world.statement_for("beta", content)
