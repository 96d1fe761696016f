"""The providers. A new one is a folder, a line in `NAMES`, and a golden folder in the tests; nothing else changes.

Services know `base` (the contracts), `errors` and `PROVIDERS`; what is one provider's alone stands in its folder.
"""

from __future__ import annotations

from importlib import import_module

from .base import ProviderRegistration

NAMES = (
    "dummy",
    "shopify",
    "stripe",
)
# By name, in the order above. A folder's `REGISTRATION` is all that is known of it outside.
PROVIDERS: dict[str, ProviderRegistration] = {name: import_module(f"{__name__}.{name}").REGISTRATION for name in NAMES}
