"""Every registered provider's golden folder: each payload gives its events, and the signed one is proved."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from providers import PROVIDERS
from providers.base import Secrets
from providers.errors import SignatureMissing, SignatureRefused
from tests.providers.golden import EXPECTED, GOLDEN, about, expected, outcome, payloads


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
    assert {path.name.removesuffix(EXPECTED) for path in (GOLDEN / name).glob(f"*{EXPECTED}")} == stems


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_provider_proves_these_exact_bytes(name: str) -> None:
    signed = about(GOLDEN / name)["signed"]
    provider = PROVIDERS[name].new(Secrets((signed["secret"].encode(),)))
    body, headers = (GOLDEN / name / signed["payload"]).read_bytes(), signed["headers"]
    assert PROVIDERS[name].signature_header.lower() in headers
    provider.verify(headers, body, signed["at"])
    with pytest.raises(SignatureMissing):
        provider.verify({}, body, signed["at"])
    with pytest.raises(SignatureRefused):
        provider.verify(headers, body + b" ", signed["at"])
    with pytest.raises(SignatureRefused):
        PROVIDERS[name].new(Secrets((b"another",))).verify(headers, body, signed["at"])


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_wrong_expectation_fails_without_being_listed(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(GOLDEN / name, folder)
    path = next(path for path in payloads(folder) if expected(path).get("events"))
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
