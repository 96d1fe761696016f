from __future__ import annotations

import pytest

from libs.rpc.config import ConfigInvalid
from services.masterdata.config import MasterdataConfig, read_companies

KEYS = {"CONCORD_TOKEN_KEYS": "k1:" + "z" * 40}
ODOO = {
    "CONCORD_ODOO_URL": "http://127.0.0.1:8069",
    "CONCORD_ODOO_DB": "books",
    "CONCORD_ODOO_USER": "concord",
    "CONCORD_ODOO_PASSWORD": "secret",
}


def test_the_masters_own_user_wins_over_the_common_one() -> None:
    config = MasterdataConfig.from_env(
        {**KEYS, **ODOO, "CONCORD_MASTERDATA_ODOO_USER": "masters", "CONCORD_MASTERDATA_ODOO_PASSWORD": "other"}
    )
    assert (config.odoo.user, config.odoo.password, config.odoo.database) == ("masters", "other", "books")
    assert config.runtime.database_url == "sqlite:///data/masterdata.db"
    assert config.runtime.rpc.listen == "127.0.0.1:50052"
    assert (config.companies, config.sync_interval_seconds) == ({}, 900)


def test_secrets_are_not_printed() -> None:
    config = MasterdataConfig.from_env({**KEYS, **ODOO, "CONCORD_DATABASE_URL": "postgresql://u:hidden@h/db"})
    assert "secret" not in repr(config)
    assert "hidden" not in repr(config)


@pytest.mark.parametrize("missing", list(ODOO))
def test_a_missing_value_stops_the_start(missing: str) -> None:
    with pytest.raises(ConfigInvalid, match=missing):
        MasterdataConfig.from_env(KEYS | {name: value for name, value in ODOO.items() if name != missing})


@pytest.mark.parametrize(
    "text, companies",
    [("", {}), ("acme", {"acme": 0}), ("acme=1", {"acme": 1}), (" acme=1 , beta=3,", {"acme": 1, "beta": 3})],
)
def test_companies_by_name_and_id(text: str, companies: dict[str, int]) -> None:
    assert read_companies(text) == companies


@pytest.mark.parametrize("text", ["acme=x", "acme=0", "a b", "acme,acme", "acme,beta", "acme=1,beta=1", "acme=1,beta"])
def test_companies_that_could_be_mixed_up_are_refused(text: str) -> None:
    with pytest.raises(ConfigInvalid):
        read_companies(text)


@pytest.mark.parametrize("seconds", ["-1", "1.5", "soon"])
def test_an_interval_is_a_whole_number(seconds: str) -> None:
    with pytest.raises(ConfigInvalid):
        MasterdataConfig.from_env({**KEYS, **ODOO, "CONCORD_MASTERDATA_SYNC_SECONDS": seconds})
