"""What the join passes found."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Pair:
    """A bank line and a target that are each other's only candidate under a rule."""

    bank: str
    target: str
    rule: str


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """A bank line with several candidates of one rank, of which the first and the last stand here, or whose candidate
    has several lines."""

    bank: str
    rule: str
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pair that a person may confirm: each other's only candidate, but nothing proves it (`evidence`), or the line
    names something else besides (`contradiction`)."""

    bank: str
    target: str
    rule: str
    lacks: str


@dataclass(frozen=True, slots=True)
class Nearest:
    """The closest target of a line that matched nothing; it lacks `amount`, `date_window` or `reference`."""

    bank: str
    target: str
    lacks: tuple[str, ...]


@dataclass(slots=True)
class Result:
    """In a stable order: by rule, then by key."""

    pairs: list[Pair] = field(default_factory=list)
    proposed: list[Proposal] = field(default_factory=list)
    ambiguous: list[Ambiguity] = field(default_factory=list)
    nearest: list[Nearest] = field(default_factory=list)
