"""Salts that a seed gives, so that a run is repeated to the letter."""

from __future__ import annotations

import random
from collections.abc import Callable

from libs.storage import private


def salts_of(seed: int) -> Callable[[], str]:
    """In place of `private.new_salt`."""
    rng = random.Random(f"{seed} salts")
    return lambda: f"{rng.getrandbits(4 * private.SALT_CHARACTERS):0{private.SALT_CHARACTERS}x}"
