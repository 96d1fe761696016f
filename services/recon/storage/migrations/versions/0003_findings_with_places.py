"""findings with places"""

import json
import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_FILE = sa.table("imported_file", sa.column("company"), sa.column("sha256"), sa.column("answer"))
_TEXT = re.compile(r"(?P<reason>[A-Z_]+): (?P<message>.*?)(?: \((?P<position>[^()]*)\))?", re.DOTALL)


def upgrade() -> None:
    _rewrite(_with_places)


def downgrade() -> None:
    _rewrite(_as_texts)


def _rewrite(change: Callable[[Any], Any]) -> None:
    connection = op.get_bind()
    for company, sha256, answer in connection.execute(sa.select(_FILE)).all():
        of_file = (_FILE.c.company == company) & (_FILE.c.sha256 == sha256)
        connection.execute(sa.update(_FILE).where(of_file).values(answer=json.dumps(change(json.loads(answer)))))


def _with_places(answer: list[Any]) -> dict[str, Any]:
    statements, settlements, lines, findings = answer
    return {
        "statements": statements,
        "settlements": settlements,
        "lines": lines,
        "findings": [_finding(text) for text in findings],
        "duplicate": False,
    }


def _finding(text: str) -> dict[str, str]:
    found = _TEXT.fullmatch(text)
    if found is None:
        return {"reason": "FINDING", "message": text, "position": ""}
    return {name: value or "" for name, value in found.groupdict().items()}


def _as_texts(answer: dict[str, Any]) -> list[Any]:
    texts = [
        f"{one['reason']}: {one['message']}" + (f" ({one['position']})" if one["position"] else "")
        for one in answer["findings"]
    ]
    return [answer["statements"], answer["settlements"], answer["lines"], texts]
