"""The house stays as it was measured: `scripts/sizes.py` counts, this file says how much is too much."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.sizes import measure, working_tree

MOST_REPEATED_CLASSES = 25
MOST_LINES_OF_MAIN = 80


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    return measure(dict(working_tree()))


def test_each_main_fits_a_screen(figures: dict[str, Any]) -> None:
    mains = {path: lines for path, lines in figures["lines of each main.py"].items() if path.startswith("services/")}
    assert len(mains) == 4
    assert not {path: lines for path, lines in mains.items() if lines > MOST_LINES_OF_MAIN}


def test_ports_are_seams_and_short(figures: dict[str, Any]) -> None:
    assert figures["ports files over 150 lines"] == []


def test_a_constructor_takes_at_most_seven_arguments(figures: dict[str, Any]) -> None:
    assert figures["constructors over 7 arguments"] == []


def test_few_class_names_mean_two_things(figures: dict[str, Any]) -> None:
    repeated = figures["repeated class names"]
    assert len(repeated) <= MOST_REPEATED_CLASSES, repeated


def test_modules_import_in_no_circle(figures: dict[str, Any]) -> None:
    assert figures["import circles"] == []


def test_libs_import_nothing_above_them(figures: dict[str, Any]) -> None:
    assert figures["libs that import upward"] == []


def test_the_counts_see_what_they_are_there_for() -> None:
    wide = "class Wide:\n    def __init__(self, a, b, c, d, e, f, g, h): ...\n"
    files = {
        "services/a/main.py": "from services.b.main import x\n" + "\n" * 90,
        "services/b/main.py": "from services.a.main import y\n" + wide,
        "services/b/handlers/ports.py": "\n" * 151 + wide,
        "libs/c.py": "import services.a.main\n",
    }
    figures: dict[str, Any] = measure(files)
    assert figures["lines of each main.py"]["services/a/main.py"] == 91
    assert figures["ports files over 150 lines"] == ["services/b/handlers/ports.py"]
    assert len(figures["constructors over 7 arguments"]) == 2
    assert list(figures["repeated class names"]) == ["Wide"]
    assert figures["import circles"] == [["services.a.main", "services.b.main"]]
    assert figures["libs that import upward"] == ["libs/c.py → services.a.main"]
