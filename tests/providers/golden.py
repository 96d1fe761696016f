"""Golden folders: what a provider sends, beside what it must give. They are found, not listed.

`tests/golden/NAME/` of a registered provider holds payloads, each with its expectation beside it:

    PAYLOAD.json   a message: a webhook's body, or an answer of the API if its name begins with the poll's page type
    PAYLOAD.csv    any other ending: a settlement report
    PAYLOAD.events.json
    golden.yaml    the account, topics by a payload's first word, and one payload as the provider signs it
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml

from libs.errors import ConcordError
from libs.events import Channel, Digest, Event, event_to_json
from providers import PROVIDERS
from providers.base import Delivery, Polls, Secrets, Source, Translation
from providers.totals import settlement_totals

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
EXPECTED = ".events.json"
ABOUT = "golden.yaml"


def payloads(folder: Path) -> list[Path]:
    """Everything that was recorded, in order of name; none where there is no folder."""
    found = sorted(path for path in folder.glob("*") if not path.name.endswith((EXPECTED, ABOUT)))
    return [path for path in found if path.is_file()]


def reports() -> list[Path]:
    """Every registered provider's report files."""
    return [path for name in PROVIDERS for path in payloads(GOLDEN / name) if path.suffix != ".json"]


def about(folder: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = yaml.safe_load((folder / ABOUT).read_text())
    return found


def scratch(tmp_path: Path, name: str) -> Path:
    """A folder for payloads of a provider that a test makes up."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / ABOUT).write_bytes((GOLDEN / name / ABOUT).read_bytes())
    return folder


def source_of(folder: Path) -> Source:
    return Source(folder.name, about(folder)["account"], "demo", True)


def delivered(path: Path, source: Source | None = None) -> Delivery:
    """The payload as it would be stored; raises what would refuse it."""
    registration = PROVIDERS[path.parent.name]
    provider, body = registration.new(Secrets((b"unused",))), path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    source = source or source_of(path.parent)
    if path.suffix != ".json":
        report = registration.report_of(body)
        assert report is not None, f"{registration.name} reads no reports"
        return Delivery(source, Channel.FILE, digest, report.type, body, digest, NOW, "")
    if isinstance(provider, Polls) and path.name.startswith(f"{provider.page_type}."):
        return Delivery(source, Channel.POLL, digest, provider.page_type, body, digest, NOW, "")
    topic = about(path.parent).get("topics", {}).get(path.name.split(".")[0], "")
    identified = provider.identify({registration.topic_header: topic}, body)
    return Delivery(source, Channel.WEBHOOK, identified.id or digest, identified.type, body, digest, NOW, "")


def translated(path: Path, source: Source | None = None) -> Translation:
    """What a message tells."""
    return PROVIDERS[path.parent.name].new(Secrets((b"unused",))).translate(delivered(path, source))


def shown(event: Event) -> dict[str, Any]:
    """An event without what depends on the moment; amounts as people write them."""
    record = json.loads(event_to_json(event))
    provenance = record["provenance"]
    for volatile in ("received_at", "raw_sha256", "delivery"):
        provenance.pop(volatile, None)
    record.pop("transaction_id", None)
    record["digest"] = Digest.of(event).hex
    return dict(record)


def outcome(path: Path) -> dict[str, Any]:
    """What the payload gives, as its expectation says it."""
    try:
        return _of_report(path) if path.suffix != ".json" else _of_message(path)
    except ConcordError as error:
        return {"refused": error.reason}


def expected(path: Path) -> dict[str, Any]:
    """Raises `FileNotFoundError` where nobody wrote what the payload must give."""
    if not path.exists():
        raise FileNotFoundError(f"{path.parent} has no payload {path.name}: put there what the provider sends")
    wanted = path.with_name(path.stem + EXPECTED)
    if not wanted.exists():
        raise FileNotFoundError(
            f"{wanted.name} is missing beside {path.name}: read what `python -m tests.providers.golden {path}` prints, "
            "and keep it if it is right"
        )
    found: dict[str, Any] = json.loads(wanted.read_text())
    return found


def signed(folder: Path) -> tuple[Mapping[str, Any], bytes]:
    """What `golden.yaml` says of the signed payload, and its bytes. Raises `FileNotFoundError`."""
    found: Mapping[str, Any] = about(folder)["signed"]
    path = folder / found["payload"]
    if not path.exists():
        raise FileNotFoundError(f"{ABOUT} of {folder.name} says `signed.payload: {path.name}`, which is not there")
    return found, path.read_bytes()


def _of_message(path: Path) -> dict[str, Any]:
    delivery, provider = delivered(path), PROVIDERS[path.parent.name].new(Secrets(()))
    found, place = provider.translate(delivery), {}
    if delivery.channel is Channel.POLL and isinstance(provider, Polls):
        page = provider.page(delivery.body)
        newest = page.newest.isoformat() if page.newest else None
        place = {"page": {"newest": newest, "last_id": page.last_id, "has_more": page.has_more}}
    return place | {
        "events": [shown(event) for event in found.events],
        "ignored": found.ignored,
        "problems": [problem.reason for problem in found.problems],
        "wakes_poll": found.wakes_poll,
        "payouts": list(found.payouts),
    }


def _of_report(path: Path) -> dict[str, Any]:
    delivery = delivered(path)
    report = PROVIDERS[path.parent.name].report_of(delivery.body)
    assert report is not None
    lines = list(report.lines(BytesIO(delivery.body), UTC))
    return {
        "events": [shown(line.event(delivery, f"{number:032x}")) for number, line in enumerate(lines)],
        "settlements": [totals.summary_json() for totals in settlement_totals(report, BytesIO(delivery.body))],
    }


if __name__ == "__main__":
    # What payloads give now, to be read and then kept: `python -m tests.providers.golden tests/golden/NAME/PAYLOAD.json`
    for argument in sys.argv[1:]:
        print(json.dumps(outcome(Path(argument).resolve()), indent=2))
