"""How recon's tables prove themselves: see `libs.storage.proofs`."""

from __future__ import annotations

from libs.storage.proofs import Proofs

from .tables import TABLES

PROOFS = Proofs(TABLES)
