"""Says once why the contract did not run on a live server."""

from __future__ import annotations

import pytest

from tests.odoo.contract.target import LIVE_NAMES, live_is_named


@pytest.mark.live
def test_the_contract_runs_on_the_live_server_that_the_environment_names() -> None:
    if not live_is_named():
        pytest.skip(f"set {', '.join(LIVE_NAMES)} to run the contract on a live Odoo")
    assert live_is_named()
