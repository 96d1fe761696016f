"""Each service's migrations are one chain: two that were written at the same time must not both follow on a third."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[2] / "services"
_REVISION = re.compile(r'^revision = "(\d+)"$.^down_revision = (?:None|"(\d+)")$', re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("service", ["gateway", "ledger", "masterdata", "recon"])
def test_migrations_follow_on_each_other_in_the_order_of_their_names(service: str) -> None:
    files = sorted((SERVICES / service / "storage" / "migrations" / "versions").glob("0*.py"))
    found = [_REVISION.search(file.read_text()) for file in files]
    chain = [(one[1], one[2] or "") for one in found if one is not None]
    numbers = [f"{number:04}" for number in range(1, len(files) + 1)]
    assert chain == list(zip(numbers, ["", *numbers], strict=False))
    assert [file.name[:4] for file in files] == numbers
