"""Whether a signature proves a body, by any of a source's live secrets, in the same time whatever is wrong with it."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence

from .base import Secrets


def is_proved(secrets: Secrets, sign: Callable[[bytes], str], given: Sequence[bytes]) -> bool:
    """Whether one of the signatures `given` is what `sign` makes with one of the secrets."""
    proved = False
    for secret in secrets.values:
        expected = sign(secret).encode()
        for signature in given:
            proved |= hmac.compare_digest(expected, signature)
    return proved
