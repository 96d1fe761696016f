"""findings with lines"""

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

_SET = sa.table("mapping_set", sa.column("company"), sa.column("number"), sa.column("findings"))
_REQUEST = sa.table("request", sa.column("id"), sa.column("answer"))
_TEXT = re.compile(r"(?P<severity>error|warning) (?P<reason>[A-Z_]+), line (?P<line>\d+): (?P<message>.*)", re.DOTALL)


def upgrade() -> None:
    _rewrite(_finding)


def downgrade() -> None:
    _rewrite(lambda one: f"{one['severity']} {one['reason']}, line {one['line']}: {one['message']}")


def _rewrite(change: Callable[[Any], Any]) -> None:
    connection = op.get_bind()
    for company, number, findings in connection.execute(sa.select(_SET)).all():
        of_set = (_SET.c.company == company) & (_SET.c.number == number)
        changed = json.dumps([change(load) for load in json.loads(findings)], ensure_ascii=False)
        connection.execute(sa.update(_SET).where(of_set).values(findings=changed))
    # A repeated request gets its first answer, which for a mapping set has its findings too.
    for request_id, text in connection.execute(sa.select(_REQUEST)).all():
        answer = json.loads(text)
        if "findings" in answer:
            answer["findings"] = [change(load) for load in answer["findings"]]
            changed = json.dumps(answer, ensure_ascii=False)
            connection.execute(sa.update(_REQUEST).where(_REQUEST.c.id == request_id).values(answer=changed))


def _finding(text: str) -> dict[str, Any]:
    found = _TEXT.fullmatch(text)
    if found is None:
        return {"severity": "warning", "reason": "FINDING", "line": 0, "message": text}
    return found.groupdict() | {"line": int(found["line"])}
