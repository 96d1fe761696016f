"""A stand-in for Stripe's API on loopback: what the gateway polls, for demo and tests. It is not Stripe.

Serves `/v1/balance_transactions`, `/v1/balance_transactions/{id}`, `/v1/payouts/{id}`, `/v1/balance`, read only.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus

from providers.fake_server import Answer, Parameters

from .fake_account import StripeAccount, StripeObject

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "created[gte]": operator.ge,
    "created[gt]": operator.gt,
    "created[lte]": operator.le,
    "created[lt]": operator.lt,
}
_EQUAL = ("type", "currency", "source")


class FakeStripe:
    """Answers for accounts, each known by its own key. `failures` are given first, for outages."""

    def __init__(self, accounts: Mapping[str, StripeAccount]) -> None:
        """`accounts` by API key."""
        self._accounts = dict(accounts)
        self._lock = threading.Lock()
        self.failures: list[HTTPStatus] = []
        self.requests: list[str] = []  # paths with their queries, in order

    def answer(self, path: str, parameters: Parameters, authorization: str) -> Answer:
        """What Stripe would answer a GET."""
        with self._lock:
            self.requests.append(path + "?" + "&".join(f"{key}={value}" for key, value in parameters))
            if self.failures:
                return _error(self.failures.pop(0), "api_error", "made to fail")
            account = self._accounts.get(authorization.removeprefix("Bearer "))
            if account is None or not authorization.startswith("Bearer "):
                return _error(HTTPStatus.UNAUTHORIZED, "invalid_request_error", "Invalid API Key provided")
            return _route(account, path, parameters)


def _route(account: StripeAccount, path: str, parameters: Parameters) -> Answer:
    if path == "/v1/balance_transactions":
        return _list(account, parameters)
    if path == "/v1/balance":
        return HTTPStatus.OK, _balance(account)
    collection, _, key = path.removeprefix("/v1/").partition("/")
    words = {"balance_transactions": "balance_transaction", "payouts": "payout"}
    found = account.objects.get(key)
    if found is None or found["object"] != words.get(collection):
        return _error(HTTPStatus.NOT_FOUND, "invalid_request_error", "No such object", code="resource_missing")
    return HTTPStatus.OK, found


def _list(account: StripeAccount, parameters: Parameters) -> Answer:
    values = dict(parameters)
    if not values.get("limit", "1").isdigit() or not 1 <= int(values.get("limit", DEFAULT_LIMIT)) <= MAX_LIMIT:
        return _error(HTTPStatus.BAD_REQUEST, "invalid_request_error", "limit must be 1 to 100")
    if not account.objects.get(values.get("payout", ""), {}).get("automatic", True):
        return _error(HTTPStatus.BAD_REQUEST, "invalid_request_error", "Only automatic payouts can be asked for")
    rows = sorted(enumerate(account.transactions), key=lambda placed: (placed[1]["created"], placed[0]), reverse=True)
    listed = [row for _, row in rows if _wanted(account, row, values)]
    ids = [row["id"] for row in listed]
    limit, start, end = int(values.get("limit", DEFAULT_LIMIT)), 0, len(listed)
    for key in ("starting_after", "ending_before"):
        if key in values and values[key] not in ids:
            return _error(HTTPStatus.BAD_REQUEST, "invalid_request_error", f"No such {key}", code="resource_missing")
    if "starting_after" in values:
        start = ids.index(values["starting_after"]) + 1
    elif "ending_before" in values:
        end = ids.index(values["ending_before"])
        start = max(0, end - limit)
    page = listed[start:end][:limit]
    more = start > 0 if "ending_before" in values else start + limit < end
    expanded = ("expand[]", "data.source") in parameters
    data = [{**row, "source": account.objects[row["source"]]} if expanded else row for row in page]
    return HTTPStatus.OK, {"object": "list", "data": data, "has_more": more, "url": "/v1/balance_transactions"}


def _wanted(account: StripeAccount, row: StripeObject, values: Mapping[str, str]) -> bool:
    if any(key in values and not compare(row["created"], int(values[key])) for key, compare in _COMPARE.items()):
        return False
    if "payout" in values and account.paid_by.get(row["id"]) != values["payout"]:
        return False
    return all(row[key] == values[key] for key in _EQUAL if key in values)


def _balance(account: StripeAccount) -> StripeObject:
    sums = {"available": 0, "pending": 0}
    for row in account.transactions:
        # What was paid out is gone; the rest counts as pending until it is.
        sums["available" if row["id"] in account.paid_by else "pending"] += row["net"]
    parts = {key: [{"amount": amount, "currency": account.currency}] for key, amount in sums.items()}
    return {"object": "balance", "livemode": account.livemode, **parts}


def _error(status: HTTPStatus, kind: str, message: str, code: str = "") -> Answer:
    error = {"type": kind, "message": message} | ({"code": code} if code else {})
    return status, {"error": error}
