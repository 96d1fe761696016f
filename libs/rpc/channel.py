"""Channels to other services: TLS, token, deadlines, retries within a budget, and errors that come back as errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import grpc

from libs.rpc.certificates import RenewedChannel
from libs.rpc.config import CallRetries, ChannelConfig, TransportRefused, is_loopback
from libs.rpc.deadlines import seconds_left
from libs.rpc.errors import error_of

TokenSource = Callable[[], str]
# Metadata to add to a call, asked for at each call.
MetadataSource = Callable[[], Sequence[tuple[str, str]]]

AUTHORIZATION = "authorization"


class CallDetails(NamedTuple):
    """What an interceptor may change of a call."""

    method: str
    timeout: float | None
    metadata: Sequence[tuple[str, str | bytes]] | None
    credentials: grpc.CallCredentials | None
    wait_for_ready: bool | None
    compression: grpc.Compression | None


def open_channel(
    target: str,
    config: ChannelConfig,
    token: TokenSource | None = None,
    *,
    metadata: Sequence[MetadataSource] = (),
    interceptors: Sequence[Any] = (),
) -> grpc.Channel:
    """A channel to `target` (`host:port`, or `dns:///name:port` for all addresses of a name, called in turn).

    Calls raise `RemoteError`, never `grpc.RpcError`. `token` gives the bearer token for each call: as call
    credentials over TLS, as metadata over plaintext on this machine. `metadata` adds headers (the trace),
    `interceptors` go outside all that (telemetry). TLS files are read again when they change. Raises
    `TransportRefused` for plaintext beyond loopback that is not allowed, and `ConfigInvalid` for TLS files that can't
    be used.
    """
    if config.tls is None:
        if not config.allow_plaintext and not is_loopback(target):
            raise TransportRefused("plaintext beyond loopback must be allowed explicitly, or TLS configured")
        channel = grpc.insecure_channel(target, options=_options(config))
        sources = [*metadata, *([_bearer(token)] if token is not None else [])]
    else:

        def secure(credentials: grpc.ChannelCredentials) -> grpc.Channel:
            if token is not None:
                credentials = grpc.composite_channel_credentials(
                    credentials, grpc.metadata_call_credentials(_TokenPlugin(token), name="concord-token")
                )
            return grpc.secure_channel(target, credentials, options=_options(config))

        channel = RenewedChannel(config.tls, secure)
        sources = [*metadata]
    return grpc.intercept_channel(channel, *interceptors, _CallInterceptor(config, sources))


def service_config(retry: CallRetries | None) -> str:
    """The gRPC service config: calls spread over all addresses, UNAVAILABLE retried within the budget."""
    config: dict[str, Any] = {"loadBalancingConfig": [{"round_robin": {}}]}
    if retry is not None:
        config["methodConfig"] = [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": retry.max_attempts,
                    "initialBackoff": f"{retry.initial_backoff_seconds}s",
                    "maxBackoff": f"{retry.max_backoff_seconds}s",
                    "backoffMultiplier": retry.multiplier,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
        config["retryThrottling"] = {"maxTokens": retry.budget_tokens, "tokenRatio": retry.budget_ratio}
    return json.dumps(config)


def _options(config: ChannelConfig) -> list[tuple[str, Any]]:
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", config.max_receive_bytes),
        ("grpc.max_send_message_length", config.max_send_bytes),
        ("grpc.keepalive_time_ms", round(config.keepalive_seconds * 1000)),
        ("grpc.keepalive_timeout_ms", round(config.keepalive_timeout_seconds * 1000)),
        ("grpc.keepalive_permit_without_calls", 0),
        ("grpc.enable_retries", int(config.retry is not None)),
        ("grpc.service_config", service_config(config.retry)),
        # A service that restarts must be found again soon, not after gRPC's two minutes.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 5000),
        # What a proxy variable in the environment says is meant for the web, not for our services.
        ("grpc.enable_http_proxy", 0),
    ]
    if config.tls is not None and config.tls.server_name is not None:
        options.append(("grpc.ssl_target_name_override", config.tls.server_name))
    return options


def _bearer(token: TokenSource) -> MetadataSource:
    return lambda: ((AUTHORIZATION, f"Bearer {token()}"),)


class _TokenPlugin(grpc.AuthMetadataPlugin):
    def __init__(self, token: TokenSource) -> None:
        self._token = token

    def __call__(self, context: grpc.AuthMetadataContext, callback: grpc.AuthMetadataPluginCallback) -> None:
        callback(((AUTHORIZATION, f"Bearer {self._token()}"),), None)


class _CallInterceptor(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """One interceptor for all that a call needs: each further one costs on every call."""

    def __init__(self, config: ChannelConfig, metadata: Sequence[MetadataSource]) -> None:
        self._config = config
        self._metadata = metadata

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        details = self._complete(client_call_details, self._config.deadline_seconds)
        return _checked(continuation(details, request))

    def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        details = self._complete(client_call_details, self._config.deadline_seconds)
        return _checked(continuation(details, request_iterator))

    def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        details = self._complete(client_call_details, self._config.stream_deadline_seconds)
        return _Stream(continuation(details, request))

    def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        details = self._complete(client_call_details, self._config.stream_deadline_seconds)
        return _Stream(continuation(details, request_iterator))

    def _complete(self, details: Any, deadline_seconds: float | None) -> CallDetails:
        timeout: float | None = details.timeout if details.timeout is not None else deadline_seconds
        left = seconds_left()
        if left is not None:
            timeout = left if timeout is None else min(timeout, left)
        metadata = list(details.metadata or ())
        for source in self._metadata:
            metadata.extend(source())
        return CallDetails(
            details.method, timeout, metadata, details.credentials, details.wait_for_ready, details.compression
        )


def _checked(call: Any) -> Any:
    """The finished call, or its error raised; a future is wrapped, so that it raises when it is asked."""
    if hasattr(call, "__next__"):  # what `.future()` gives is gRPC's all-purpose call, an iterator too
        return _Future(call)
    error = call.exception()
    if isinstance(error, grpc.RpcError):
        raise error_of(error) from None
    return call


class _Future:
    """A call in flight (`stub.Method.future(…)`) whose result raises our errors."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def result(self, timeout: float | None = None) -> Any:
        try:
            return self._call.result(timeout)
        except grpc.RpcError as error:
            raise error_of(error) from None

    def exception(self, timeout: float | None = None) -> Any:
        error = self._call.exception(timeout)
        return error_of(error) if isinstance(error, grpc.RpcError) else error

    def add_done_callback(self, callback: Callable[[_Future], None]) -> None:
        self._call.add_done_callback(lambda _: callback(self))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


class _Stream:
    """A stream of responses that raises our errors; `cancel()` and the rest are the call's own."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._call)
        except grpc.RpcError as error:
            raise error_of(error) from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)
