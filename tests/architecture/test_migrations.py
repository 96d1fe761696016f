"""Each service's migrations are one row: two of one number, or a gap, would only be met when a process starts."""

from __future__ import annotations

import re

import pytest

from tests.architecture.source import ROOT


@pytest.mark.parametrize("service", ["gateway", "ledger", "masterdata", "recon"])
def test_each_migration_follows_the_one_before(service: str) -> None:
    folder = ROOT / "services" / service / "storage" / "migrations" / "versions"
    texts = [path.read_text() for path in sorted(folder.glob("*.py"))]
    found = [re.findall(r'^(?:down_)?revision\b[^=]*= "?(\w+)', text, re.MULTILINE) for text in texts]
    numbers = [f"{number:04}" for number in range(1, len(texts) + 1)]
    assert found == [[number, before] for number, before in zip(numbers, ["None", *numbers], strict=False)]
