"""What the gateway is told, and what it refuses to start with."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.access import AccessScope
from libs.rpc.config import ConfigInvalid
from libs.rpc.identity import TOKEN_CHARACTERS, TokenKey, TokenKeys, issue_token
from providers.base import Secrets, Source
from services.gateway.accounts import ConfiguredAccounts
from services.gateway.config import GatewayConfig, SourceConfig, read_sources
from services.gateway.domain.errors import SourceUnknown

WHOLE = """
sources:
  - provider: stripe
    account: acct_1
    company: demo
    signing_secrets: [{env: FIRST}, {file: SECRET_FILE}]
    api: {key: {value: rk_live_1}, base_url: "http://127.0.0.1:9"}
    poll: {interval_seconds: 5, overlap_seconds: 60, since: 2026-01-01T00:00:00Z}
    deliveries_per_minute: 100
  - {provider: shopify, account: shop, company: demo, livemode: false, signing_secrets: [{value: s}]}
  - {provider: bank, account: DE02120300000000202051, company: demo}
"""
ENV = {"FIRST": "whsec_1", "CONCORD_TOKEN_KEYS": "k1:" + "z" * 40}


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "secret").write_text("whsec_2\n")
    path = tmp_path / "sources.yaml"
    path.write_text(text.replace("SECRET_FILE", str(tmp_path / "secret")))
    return path


def test_a_sources_file_is_read_whole(tmp_path: Path) -> None:
    stripe, shopify, bank = read_sources(written(tmp_path, WHOLE), ENV)
    assert stripe.secrets.values == (b"whsec_1", b"whsec_2")
    assert stripe.api is not None
    assert stripe.poll is not None
    assert (stripe.poll.interval_seconds, stripe.poll.overlap_seconds, stripe.poll.since) == (5.0, 60, 1767225600)
    assert (stripe.source.livemode, shopify.source.livemode) == (True, False)
    assert (stripe.deliveries_per_minute, bank.secrets.values) == (100, ())
    assert "rk_live" not in repr(stripe)
    assert "whsec" not in repr(stripe)


def entry(**changes: str) -> str:
    fields = {
        "provider": "stripe",
        "account": "acct_1",
        "company": "demo",
        "signing_secrets": "[{value: s}]",
    } | changes
    return "sources:\n  - {" + ", ".join(f"{key}: {value}" for key, value in fields.items() if value) + "}\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "sources: {}",
        "sources: [7]",
        "sources: [: :",
        entry(provider="paypal"),
        entry(account="''"),
        entry(account='"a/b"'),
        entry(company="7"),
        entry(surprise="1"),
        entry(signing_secrets="[]"),
        entry(signing_secrets="[{value: a}, {value: b}, {value: c}]"),
        entry(signing_secrets="[{value: ''}]"),
        entry(signing_secrets="[{env: NOT_SET}]"),
        entry(signing_secrets="[{file: /no/such/file}]"),
        entry(signing_secrets="[plain]"),
        entry(signing_secrets="whsec"),
        entry(livemode="maybe"),
        entry(deliveries_per_minute="0"),
        entry(poll="{interval_seconds: 5}"),
        entry(api="{key: {value: sk_test_1}}"),
        entry(api="{key: {value: rk_test_1}}"),
        entry(api="{key: {value: sk_live_1}}", livemode="false"),
        entry(api="{key: {value: k}, base_url: 'http://example.test'}"),
        entry(api="{key: {value: k}, base_url: 'http://127.0.0.1.example.test'}"),
        entry(api="{key: {value: k}, base_url: 7}"),
        entry(api="{key: {value: k}}", poll="{interval_seconds: 0}"),
        entry(api="{key: {value: k}}", poll="{since: yesterday}"),
        entry(api="{key: {value: k}}", poll="{overlap_seconds: -1}"),
        entry() + entry().removeprefix("sources:\n"),
    ],
)
def test_a_sources_file_that_contradicts_itself_stops_the_start(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigInvalid) as error:
        read_sources(written(tmp_path, text), ENV)
    assert "sk_" not in str(error.value)


@pytest.mark.parametrize(
    "secret, told",
    [
        ("{env: SHOP_SECRET}", "the environment variable SHOP_SECRET is not set"),
        ("{env: whsec_live}", "the environment variable is not set"),
        ("{env: WHSECLIVE}", "the environment variable is not set"),
        ("{file: whsec_live}", "the secret's file can't be read"),
        ("{text: whsec_live}", "a secret is {file: PATH}, {env: NAME} or {value: TEXT}"),
        ("whsec_live", "a secret is {file: PATH}, {env: NAME} or {value: TEXT}"),
    ],
)
def test_what_is_wrong_with_a_secret_is_told_without_the_secret(tmp_path: Path, secret: str, told: str) -> None:
    with pytest.raises(ConfigInvalid) as error:
        read_sources(written(tmp_path, entry(signing_secrets=f"[{secret}]")), ENV)
    assert str(error.value) == f"sources[0]: {told}"


def test_the_environment_names_the_file_and_the_rest_has_defaults(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    config = GatewayConfig.from_env({**ENV, "CONCORD_GATEWAY_SOURCES": str(path), "CONCORD_DATA_DIR": "d"})
    assert config.runtime.database_url == "sqlite:///d/gateway.db"
    assert config.http.listen.startswith("127.0.0.1:")
    assert len(config.sources) == 3
    accounts = ConfiguredAccounts(config.sources)
    assert accounts.find("bank", "DE02120300000000202051").provider is None
    with pytest.raises(SourceUnknown):
        accounts.find("stripe", "acct_2")
    assert GatewayConfig.from_env(ENV).sources == ()


def test_a_sources_file_that_is_missing_stops_the_start() -> None:
    with pytest.raises(ConfigInvalid):
        GatewayConfig.from_env({**ENV, "CONCORD_GATEWAY_SOURCES": "/no/such/file"})


def test_the_gateways_own_token_names_its_sources_and_of_very_many_their_providers() -> None:
    def scope(count: int) -> AccessScope:
        sources = [
            SourceConfig(Source("bank", f"DE{number:020}", f"company-{number % 3}"), Secrets(()))
            for number in range(count)
        ]
        return ConfiguredAccounts(sources).scope()

    few, many = scope(2), scope(500)
    assert few == AccessScope.of(["company-0", "company-1"], [f"bank/DE{0:020}", f"bank/DE{1:020}"])
    assert many == AccessScope.of(["company-0", "company-1", "company-2"], ["bank/*"])
    token = issue_token(TokenKeys([TokenKey.secret("k1", "a" * 40)]), "gateway", ["gateway"], scope(60))
    assert len(token) <= TOKEN_CHARACTERS
