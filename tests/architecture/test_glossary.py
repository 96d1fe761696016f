"""`docs/glossary.md` has every table and every message of the contracts, and code does not use retired words."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.source import ROOT

GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
TOUR = (ROOT / "docs" / "tour.md").read_text()
PRODUCT = ("libs", "services", "sandbox", "providers", "cli")
# Requests and responses say nothing new, and a stream's messages are named after their calls.
_ENVELOPE = re.compile(r"(Request|Response)$")
# What each retired word became stands in the glossary.
FETCHES = {"one"}  # SQLAlchemy's name, and the sandbox's store's, for the only row
RETIRED = {
    "one": "the noun of what is looped over",
    "told": "stated, translated, reported, requested: by meaning",
    "told_id": "requested_transaction_id",
    "untied": "unbalanced",
    "retold": "what was meant",
    "settle": "finish (a lease), reconcile (a story), compose (a payout), decide, resolve",
    "settled": "finished, reconciled, composed, decided, resolved",
    "walk": "trail",
}


def tables() -> set[str]:
    found: set[str] = set()
    for folder in ("libs", "services"):
        for path in (ROOT / folder).rglob("*.py"):
            if "migrations" not in path.parts and "stubs" not in path.parts:
                text = path.read_text()
                found |= set(re.findall(r'^    __tablename__ = "(\w+)"', text, re.M))
                found |= set(re.findall(r'\bTable\(\s*"(\w+)"', text))
    return found


def messages() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "protos" / "concord").rglob("*.proto"):
        found |= set(re.findall(r"^message (\w+)", path.read_text(), re.M))
    return {name for name in found if not _ENVELOPE.search(name)}


def test_the_search_finds_tables_and_messages() -> None:
    assert {"posting", "delivery", "difference", "total"} <= tables()
    assert {"Posting", "Event", "ControlTotal"} <= messages()


@pytest.mark.parametrize("word", sorted(tables() | messages()))
def test_the_glossary_has_each_table_and_message(word: str) -> None:
    assert f"`{word}`" in GLOSSARY


def identifiers(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and node.attr not in FETCHES:
            found.add(node.attr)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name not in FETCHES:
            found.add(node.name)
    return found


def test_no_identifier_is_a_retired_word() -> None:
    found = []
    for folder in PRODUCT:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" in path.parts or "stubs" in path.parts:
                continue
            used = {name.lstrip("_") for name in identifiers(ast.parse(path.read_text()))} & set(RETIRED)
            found += [f"{path.relative_to(ROOT)}: {word} → {RETIRED[word]}" for word in sorted(used)]
    assert not found, "\n".join(found)


def test_the_tour_has_at_most_twenty_stops_and_each_is_a_file() -> None:
    stops = re.findall(r"^\d+\. \[`([^`]+)`\]\(\.\./([^)#]+)\)", TOUR, re.M)
    assert 10 <= len(stops) <= 20
    assert len(stops) == len(re.findall(r"^\d+\. ", TOUR, re.M)), "a stop without a file"
    for shown, target in stops:
        assert shown == target
        assert (ROOT / target).is_file(), f"docs/tour.md: {target} is not there"
