"""Join passes as relational expressions on integer amounts. The only place that knows DuckDB."""

from __future__ import annotations

from collections.abc import Sequence

from ..domain.items import BankItem, Target
from ..domain.outcome import Result


def match(bank: Sequence[BankItem], targets: Sequence[Target]) -> Result:
    """See `passes.match`."""
    # Late: DuckDB and Arrow are a tenth of recon's start, and the first match can wait for them.
    from .passes import match as match_by_passes

    return match_by_passes(bank, targets)
