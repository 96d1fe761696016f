"""Parts of lists: what a handler gives for a page of a `List` method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
After = tuple[str | int, ...]  # the last item's place in the list's order


@dataclass(frozen=True, slots=True)
class ListPart(Generic[Item]):
    """Part of a list; `after` is the place of its last item, None at the end."""

    items: list[Item]
    after: After | None


def part_of(found: Sequence[Item], size: int, place: Callable[[Item], After]) -> ListPart[Item]:
    """The first `size` of what was found; whoever looks for one more than that knows whether there is a next part."""
    return ListPart(list(found[:size]), place(found[size - 1]) if len(found) > size else None)
