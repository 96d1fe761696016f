"""Who calls: bearer tokens (JWT), proved with keys that can be rotated without a pause.

Two keys may live at once, told apart by the token's `kid`: add the new one everywhere, issue with it, drop the
old one once its last token has expired. The key decides the algorithm, never the token's header.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc

from libs.access import NOTHING, AccessScope, ScopeInvalid
from libs.errors import ConcordError, Kind
from libs.rpc.interception import GateInterceptor, metadata_value

AUDIENCE = "concord"
ISSUER = "concord"
LEEWAY_SECONDS = 30
SECRET_BYTES = 32  # below this an HS256 secret can be guessed
TOKEN_CHARACTERS = 4096
CACHED_TOKENS = 1024

Clock = Callable[[], datetime]


class Unauthenticated(ConcordError):
    """The caller is not known; `reason` says whether the token is absent, expired or wrong."""

    kind = Kind.UNAUTHENTICATED
    reason = "TOKEN_INVALID"


class TokenMissing(Unauthenticated):
    reason = "TOKEN_MISSING"


class TokenExpired(Unauthenticated):
    reason = "TOKEN_EXPIRED"


class KeyInvalid(ConcordError):
    """A configured key can't be used; the process must not start."""

    reason = "TOKEN_KEY_INVALID"


@dataclass(frozen=True, slots=True)
class Identity:
    """A proven caller, what it may do by its roles, and whose books and sources it may do it to."""

    subject: str
    roles: frozenset[str]
    scope: AccessScope = NOTHING


_identity: ContextVar[Identity | None] = ContextVar("concord_identity", default=None)


def current_identity() -> Identity:
    """The caller of the RPC being served. Raises `TokenMissing` outside of one."""
    identity = _identity.get()
    if identity is None:
        raise TokenMissing("no caller is known here")
    return identity


def current_scope() -> AccessScope:
    """What the caller of the RPC being served may touch; nothing outside of one."""
    identity = _identity.get()
    return NOTHING if identity is None else identity.scope


@contextmanager
def acting_as(identity: Identity) -> Iterator[None]:
    """Set the caller for work that no RPC brought: the CLI, and a handler under test."""
    token = _identity.set(identity)
    try:
        yield
    finally:
        _identity.reset(token)


@dataclass(frozen=True, slots=True)
class TokenKey:
    """An HS256 secret, or an EC P-256 (ES256) or Ed25519 (EdDSA) key: a verifier needs its public half only."""

    kid: str
    algorithm: str
    material: Any = field(repr=False)

    @classmethod
    def secret(cls, kid: str, secret: str | bytes) -> TokenKey:
        """A shared secret of at least 32 bytes."""
        material = secret.encode() if isinstance(secret, str) else secret
        if len(material) < SECRET_BYTES:
            raise KeyInvalid(f"token key {kid} is shorter than {SECRET_BYTES} bytes")
        return cls(kid, "HS256", material)

    @classmethod
    def pem(cls, kid: str, text: bytes) -> TokenKey:
        """A public or private key in PEM; only a private one can issue tokens."""
        # Late: most installations have shared secrets.
        from cryptography.hazmat.primitives.asymmetric import ec, ed25519
        from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

        try:
            key: Any = load_pem_private_key(text, None) if b"PRIVATE KEY" in text else load_pem_public_key(text)
        except (ValueError, TypeError):
            raise KeyInvalid(f"token key {kid} is no PEM key that can be read") from None
        if isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1":
            return cls(kid, "ES256", key)
        if isinstance(key, ed25519.Ed25519PublicKey | ed25519.Ed25519PrivateKey):
            return cls(kid, "EdDSA", key)
        raise KeyInvalid(f"token key {kid} is neither EC P-256 nor Ed25519")

    def issues(self) -> bool:
        """Whether tokens can be made with it."""
        return isinstance(self.material, bytes) or self._is_private()

    def proof(self) -> Any:
        """What verifies: the secret itself, or the public half."""
        return self.material.public_key() if self._is_private() else self.material

    def _is_private(self) -> bool:
        return hasattr(self.material, "public_key")


class TokenKeys:
    """The live keys, the issuing one first. Never printed."""

    def __init__(self, keys: Iterable[TokenKey]) -> None:
        self._keys: dict[str, TokenKey] = {}
        for key in keys:
            if self._keys.setdefault(key.kid, key) is not key:
                raise KeyInvalid(f"token key {key.kid} is given twice")
        if not self._keys:
            raise KeyInvalid("no token key is configured")

    @classmethod
    def parse(cls, text: str, read: Callable[[str], bytes] = lambda path: Path(path).read_bytes()) -> TokenKeys:
        """Read `kid:secret` and `kid=path.pem` entries, separated by commas, spaces or lines; `#` starts a comment."""
        keys = []
        for line in text.splitlines():
            for entry in line.split("#", 1)[0].replace(",", " ").split():
                if ":" in entry and ("=" not in entry or entry.index(":") < entry.index("=")):
                    kid, secret = entry.split(":", 1)
                    keys.append(TokenKey.secret(kid, secret))
                elif "=" in entry:
                    kid, path = entry.split("=", 1)
                    keys.append(TokenKey.pem(kid, read(path)))
                else:
                    raise KeyInvalid("a token key is written kid:secret or kid=path.pem")
        return cls(keys)

    def find(self, kid: str | None) -> TokenKey | None:
        """The key of that id; without an id, the only key there is."""
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid) if kid is not None else None

    def issuing(self) -> TokenKey:
        """The first key that can issue."""
        for key in self._keys.values():
            if key.issues():
                return key
        raise KeyInvalid("no configured token key can issue tokens: all are public")

    def __repr__(self) -> str:
        return f"TokenKeys({', '.join(self._keys)})"


def utc_now() -> datetime:
    """The wall clock, in UTC: the default where a caller gives no clock."""
    return datetime.now(UTC)


def issue_token(
    keys: TokenKeys,
    subject: str,
    roles: Iterable[str],
    scope: AccessScope = NOTHING,
    *,
    lifetime_seconds: int = 3600,
    clock: Clock = utc_now,
    issuer: str = ISSUER,
) -> str:
    """A bearer token for `subject`, signed with the first key that can issue. Without a scope it touches nothing."""
    key = keys.issuing()
    # Late here and where tokens are proved: PyJWT with cryptography is a tenth of a start, and health needs no token.
    import jwt

    now = clock()
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": subject,
        "roles": sorted(roles),
        "companies": sorted(scope.companies),
        "sources": sorted(scope.sources),
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(seconds=lifetime_seconds)).timestamp()),
    }
    return jwt.encode(claims, key.material, algorithm=key.algorithm, headers={"kid": key.kid})


class IssuedToken:
    """A caller's own token, renewed before it expires: what one service shows another. Call it to get the token."""

    def __init__(
        self,
        keys: TokenKeys,
        subject: str,
        roles: Iterable[str],
        scope: AccessScope = NOTHING,
        *,
        lifetime_seconds: int = 3600,
        clock: Clock = utc_now,
    ) -> None:
        self._keys = keys
        self._subject = subject
        self._roles = tuple(roles)
        self._scope = scope
        self._lifetime = lifetime_seconds
        self._clock = clock
        self._token = ""
        self._renew_at: datetime | None = None

    def __call__(self) -> str:
        now = self._clock()
        if self._renew_at is None or now >= self._renew_at:
            self._token = issue_token(
                self._keys, self._subject, self._roles, self._scope, lifetime_seconds=self._lifetime, clock=self._clock
            )
            self._renew_at = now + timedelta(seconds=self._lifetime / 2)
        return self._token


class TokenVerifier:
    """Proves tokens. Keeps proven ones until they expire, so that a steady caller costs one signature an hour."""

    def __init__(self, keys: TokenKeys, *, issuer: str = ISSUER, clock: Clock = utc_now) -> None:
        self._keys = keys
        self._issuer = issuer
        self._clock = clock
        self._proven: dict[str, tuple[Identity, float]] = {}

    def replace_keys(self, keys: TokenKeys) -> None:
        """Rotate: tokens of a key that is gone are refused from now on."""
        self._keys, self._proven = keys, {}

    def verify(self, token: str) -> Identity:
        """The token's owner. Raises `Unauthenticated` (or `TokenExpired`) with no hint at what is wrong beyond that."""
        now = self._clock().timestamp()
        proven = self._proven
        known = proven.get(token)
        if known is None:
            known = self._prove(token)
            if len(proven) >= CACHED_TOKENS:
                proven.clear()
            proven[token] = known
        identity, expires_at = known
        if now > expires_at + LEEWAY_SECONDS:
            proven.pop(token, None)
            raise TokenExpired("the token has expired")
        return identity

    def _prove(self, token: str) -> tuple[Identity, float]:
        if len(token) > TOKEN_CHARACTERS:
            raise Unauthenticated("the token is not valid")
        import jwt

        try:
            key = self._keys.find(jwt.get_unverified_header(token).get("kid"))
            if key is None:
                raise Unauthenticated("the token is not valid")
            claims = jwt.decode(
                token,
                key.proof(),
                algorithms=[key.algorithm],
                audience=AUDIENCE,
                issuer=self._issuer,
                # Times are checked below, against the clock that was given.
                options={
                    "require": ["exp", "iat", "aud", "iss", "sub"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.PyJWTError:
            raise Unauthenticated("the token is not valid") from None
        return self._identity_of(claims)

    def _identity_of(self, claims: Mapping[str, Any]) -> tuple[Identity, float]:
        roles, expires_at, not_before = claims.get("roles"), claims["exp"], claims.get("nbf", claims["iat"])
        well_formed = (
            isinstance(claims["sub"], str)
            and claims["sub"] != ""
            and _are_texts(roles)
            and all(isinstance(time, int | float) and not isinstance(time, bool) for time in (expires_at, not_before))
        )
        if not well_formed or not_before > self._clock().timestamp() + LEEWAY_SECONDS:
            raise Unauthenticated("the token is not valid")
        return Identity(claims["sub"], frozenset(roles or ()), _scope_of(claims)), float(expires_at)


def _scope_of(claims: Mapping[str, Any]) -> AccessScope:
    """What the token names; a token of before there were scopes names nothing."""
    companies, sources = claims.get("companies", []), claims.get("sources", [])
    if not (_are_texts(companies) and _are_texts(sources)):
        raise Unauthenticated("the token is not valid")
    try:
        return AccessScope.of(companies, sources)
    except ScopeInvalid:
        raise Unauthenticated("the token is not valid") from None


def _are_texts(claim: object) -> bool:
    return isinstance(claim, list) and all(isinstance(text, str) for text in claim)


class IdentityInterceptor(GateInterceptor):
    """Proves the caller of every call but health and reflection, and sets `current_identity()`."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    def check(self, method: str, context: grpc.ServicerContext) -> None:
        """Raises `Unauthenticated`."""
        header = metadata_value(context, "authorization")
        if header is None:
            raise TokenMissing("the call carries no bearer token")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenMissing("the call carries no bearer token")
        _identity.set(self._verifier.verify(token.strip()))
