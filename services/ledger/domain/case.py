"""Exception cases: what a person must look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from libs.money import Money


class Category(Enum):
    """Whose exception it is: finance's or the operators'."""

    BUSINESS = "business"
    TECHNICAL = "technical"


OWNERS = {Category.BUSINESS: "finance", Category.TECHNICAL: "operations"}


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a person must look. `message` says what happened and what to do, without amounts or names."""

    reason: str
    message: str
    category: Category = Category.BUSINESS
    actions: tuple[str, ...] = ("retry", "reject")


class CaseState(Enum):
    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class ExceptionCase:
    """A doubt with an owner, as it is listed."""

    id: str
    company: str
    subject: str
    transaction_id: str
    doubt: Doubt
    state: CaseState
    owner: str
    at_risk: Money
    created_at: datetime
    resolved_at: datetime | None = None

    @property
    def name(self) -> str:
        return f"companies/{self.company}/exceptions/{self.id}"
