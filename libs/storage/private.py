"""Values that enter a row's digest by a salted digest of their own: what is personal, and what is large.

The proof of a value stands beside it, in the column `{column}_proof`: a salt of 32 hexadecimal digits, then the
SHA-256 of salt and value in 64. The row's digest covers the last 64 alone. So value and salt can be erased, `erased`,
and the row stays proved; without the salt nobody can find out by trying which name it was.
"""

from __future__ import annotations

import secrets
from hashlib import sha256

SALT_CHARACTERS = 32
PROOF_CHARACTERS = SALT_CHARACTERS + 64
SALTS_AT_ONCE = 256  # to ask the system for each would cost more than the hash
_NO_SALT = "-" * SALT_CHARACTERS
_salts: list[str] = []


def new_salt() -> str:
    """Its own for each value. Simulations draw theirs from the seed."""
    try:
        return _salts.pop()
    except IndexError:
        drawn = secrets.token_hex(SALTS_AT_ONCE * SALT_CHARACTERS // 2)
        _salts.extend(drawn[at : at + SALT_CHARACTERS] for at in range(SALT_CHARACTERS, len(drawn), SALT_CHARACTERS))
        return drawn[:SALT_CHARACTERS]


def proof_of(value: str | bytes | None) -> str:
    """What is stored beside the value; empty where there is none."""
    return "" if value is None else _proof(new_salt(), value)


def with_proof(column: str, value: bytes) -> dict[str, str | bytes]:
    """The two columns of a value and its proof."""
    return {column: value, f"{column}_proof": proof_of(value)}


def erased(proof: str) -> str:
    """What stays of a proof once its value is erased."""
    return _NO_SALT + proof[SALT_CHARACTERS:]


def is_erased(value: str | bytes | None, proof: str) -> bool:
    """Whether nothing but the digest is left."""
    return not value and proof.startswith(_NO_SALT)


def fits(value: str | bytes | None, proof: str) -> bool:
    """Whether the value is the one that the proof was made of. What is erased fits."""
    salt = proof[:SALT_CHARACTERS]
    if isinstance(value, str) and value:  # the most frequent by far
        return sha256((salt + value).encode()).hexdigest() == proof[SALT_CHARACTERS:]
    if not value and is_erased(value, proof):
        return True
    return not proof if value is None else proof == _proof(salt, value)


def _proof(salt: str, value: str | bytes) -> str:
    salted = (salt + value).encode() if isinstance(value, str) else salt.encode() + value
    return salt + sha256(salted).hexdigest()
