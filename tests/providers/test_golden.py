"""Every registered provider's golden folder: each payload gives its events, and the signed one is proved."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from providers import PROVIDERS
from providers.base import Secrets
from providers.errors import SignatureMissing, SignatureRefused
from tests.providers.golden import ABOUT, EXPECTED, GOLDEN, expected, outcome, payloads, signed


def found(root: Path) -> list[Path]:
    """All payloads below the root. A provider without any stands there with one that is not there, and fails."""
    return [path for name in PROVIDERS for path in payloads(root / name) or [root / name / "nothing.json"]]


@pytest.mark.parametrize("path", found(GOLDEN), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_payload_gives_its_events(path: Path) -> None:
    assert outcome(path) == expected(path)
    assert outcome(path) == outcome(path), "translation is pure"


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_expectation_without_its_payload_is_none(name: str) -> None:
    stems = {path.stem for path in payloads(GOLDEN / name)}
    wanted = {path.name.removesuffix(EXPECTED) for path in (GOLDEN / name).glob(f"*{EXPECTED}")}
    assert wanted <= stems, "an expectation is called after its payload: rename both"


def test_a_golden_folder_is_of_a_registered_provider() -> None:
    found = {path.name for path in GOLDEN.iterdir() if (path / ABOUT).exists()}
    assert found <= set(PROVIDERS), "not in NAMES of providers/__init__.py"


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_provider_proves_these_exact_bytes(name: str) -> None:
    message, body = signed(GOLDEN / name)
    provider = PROVIDERS[name].new(Secrets((message["secret"].encode(),)))
    headers, at = message["headers"], message["at"]
    assert PROVIDERS[name].signature_header.lower() in headers, f"{ABOUT} has not the header that the provider reads"
    try:
        provider.verify(headers, body, at)
    except SignatureRefused as error:
        pytest.fail(f"{ABOUT} does not prove {message['payload']}: sign it anew whenever it changes ({error})")
    with pytest.raises(SignatureMissing):
        provider.verify({}, body, at)
    with pytest.raises(SignatureRefused):
        provider.verify(headers, body + b" ", at)
    with pytest.raises(SignatureRefused):
        PROVIDERS[name].new(Secrets((b"another",))).verify(headers, body, at)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_wrong_expectation_fails_without_being_listed(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(GOLDEN / name, folder)
    path = next((path for path in payloads(folder) if expected(path).get("events")), None)
    assert path is not None, f"no payload of {name} gives an event"
    wrong = expected(path)
    wrong["events"][0]["amount"] = "7.77"
    path.with_name(path.stem + EXPECTED).write_text(json.dumps(wrong))
    assert path in payloads(folder)
    with pytest.raises(AssertionError):
        test_a_payload_gives_its_events(path)
    path.with_name(path.stem + EXPECTED).unlink()
    with pytest.raises(FileNotFoundError):
        test_a_payload_gives_its_events(path)


def test_a_registered_provider_without_a_golden_folder_fails(tmp_path: Path) -> None:
    assert [path.parent.name for path in found(tmp_path)] == list(PROVIDERS)
    for path in found(tmp_path):
        with pytest.raises(FileNotFoundError):
            test_a_payload_gives_its_events(path)
