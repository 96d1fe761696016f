"""A ledger over the sandbox: real storage, real workers, an Odoo that can fail."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Engine

from libs.errors.retry import RetryPolicy
from libs.money import Money
from libs.odoo.errors import OdooDenied, OdooOutcomeUnknown, OdooUnavailable
from libs.odoo.port import Json
from sandbox.chart import PLAN
from sandbox.engine import Sandbox
from sandbox.seed import bootstrap
from sandbox.transport import InProcess
from services.ledger.adapters.odoo_journal import OdooJournal
from services.ledger.domain import master
from services.ledger.domain.role import Role
from services.ledger.workers.match import WriteMatchWorker
from services.ledger.workers.post import PostWorker
from services.ledger.workers.reconcile import ReconcileWorker
from tests.ledger.world import World
from tests.lossy_transport import LossyTransport

Happens = Callable[[str, str, list[Json]], None]

BANK_NUMBER = "DE89"
CUSTOMERS = {
    ("shopify/shop-1", "77"): "Ada Archer",
    ("stripe/acct_1", "cus_ada"): "Ada Archer",
    ("shopify/shop-1", "78"): "Bertil Berg",
    ("erp/main", "v-1"): "Carla Costa",
    ("erp/main", "v-2"): "Payment Provider",
    ("stripe/acct_1", ""): "Unidentified customer",
}


@dataclass
class SandboxMasters:
    """Masterdata's answers, read from the sandbox's own chart."""

    sandbox: Sandbox
    late_policy: str = "next_open_day"

    def __post_init__(self) -> None:
        odoo = InProcess(self.sandbox, "admin")

        def ids(model: str, field: str) -> dict[str, int]:
            return {str(one[field]): int(one["id"]) for one in odoo.execute(model, "search_read", [[], [field]])}

        self.accounts = ids("account.account", "code")
        self.journals = ids("account.journal", "code")
        self.partners = ids("res.partner", "name")
        self.taxes = ids("account.tax", "name")

    def company(self) -> master.Company:
        return master.Company(1, "USD", "America/New_York", 0, self.late_policy, 3600)

    def resolve(self, company: str, refs: Sequence[master.Ref]) -> master.Masters:
        return master.Masters({ref: self._answer(ref) for ref in refs}, 1, "companies/acme/mappingSets/1")

    def account(self, role: str, currency: str = "USD") -> master.PostingAccount:
        role = {"ITX": "TAX"}.get(role, role)  # one account of this company takes both
        spec = next(one for one in PLAN.accounts if one.role == role and one.currency in ("", currency))
        return master.PostingAccount(self.accounts[spec.code], spec.code, spec.currency or "", spec.reconcile)

    def _journal(self, role: str) -> master.PostingJournal:
        spec = next(one for one in PLAN.journals if one.role == role)
        bank = role == "BNK"
        return master.PostingJournal(
            self.journals[spec.code],
            spec.code,
            spec.type,
            self.account("BANK") if bank else None,
            self.account("SUS") if bank else None,
        )

    def _answer(self, ref: master.Ref) -> master.Target:
        match ref:
            case master.CompanyWord():
                return self.company()
            case master.AccountRole(role=role, currency=currency):
                return self.account(role, currency)
            case master.JournalRole(role=role):
                return self._journal(role)
            case master.TaxWord(rate="0.08", use="purchase"):
                return master.Tax(self.taxes["Input Tax 8%"], "0.08")
            case master.TaxWord(rate="0.08"):
                return master.Tax(self.taxes["Sales Tax 8%"], "0.08")
            case master.PartyWord(issuer=issuer, external_id=external) if (issuer, external) in CUSTOMERS:
                found = self.partners[CUSTOMERS[issuer, external]]
                return master.PostingParty(f"companies/acme/parties/{found}", found, found)
            case master.BankNumber(number=number) if number == BANK_NUMBER:
                return self._journal("BNK")
            case master.RateOn(currency="EUR"):
                return master.Rate("0.9090909090909091")
            case master.FeeWord(kind=kind):
                return master.Fee(Role.DISPUTE_FEE if kind == "dispute" else Role.FEE)
        return master.Unresolved("MAPPING_MISSING", "not in the mapping")


class LosingTransport(LossyTransport):
    """Also loses the reply of chosen methods, once each, and lies about external ids as a live Odoo's cache does.

    `meanwhile` happens once, while the reply of the named method is on its way.
    """

    lose_once: set[str]
    meanwhile: dict[str, Callable[[], object]]
    forgetful = False

    def execute(self, model: str, method: str, args: list[Json], kwargs: Mapping[str, Json] | None = None) -> Json:
        answer = super().execute(model, method, args, kwargs)
        if happens := self.meanwhile.pop(f"{model}.{method}", None):
            happens()
        if method in self.lose_once:
            self.lose_once.discard(method)
            raise OdooOutcomeUnknown("ReplyLost")
        if method == "check_object_reference" and self.forgetful:
            return [answer[0], False]
        return answer


class PostingWorld(World):
    """A ledger whose workers really post."""

    def __init__(self, engine: Engine, seed: int = 1, version: int = 18) -> None:
        super().__init__(engine, seed)
        self.sandbox = Sandbox(":memory:", self.clock, version)
        bootstrap(self.sandbox)
        self.masters = SandboxMasters(self.sandbox)
        self.masterdata = self.masters  # type: ignore[assignment]
        self.builder = self.new_builder("builder-1")
        self.admin = InProcess(self.sandbox, "admin")
        self.faults = random.Random(seed)
        self.odoo = LosingTransport(InProcess(self.sandbox, "concord"), self.faults)
        self.odoo.lose_once = set()
        self.odoo.meanwhile = {}
        self.journal = OdooJournal(self.odoo, "test", "USD")
        self.poster = self.new_poster("poster-1")
        self.reconciler = self.new_reconciler()
        self.matcher = self.new_matcher("matcher-1")

    def new_poster(self, owner: str, max_attempts: int = 60) -> PostWorker:
        return replace(self.new_assembled_poster(owner), retry=RetryPolicy(max_attempts=max_attempts))

    def new_assembled_poster(self, owner: str) -> PostWorker:
        """With the product's own budget."""
        return PostWorker(self.new_uow, self.journal_of, self.masters, self.as_worker(owner))

    def new_reconciler(self) -> ReconcileWorker:
        return ReconcileWorker(self.new_uow, self.journal_of, self.masters, self.as_worker("reconciler"))

    def new_matcher(self, owner: str, max_attempts: int = 60) -> WriteMatchWorker:
        retry = RetryPolicy(max_attempts=max_attempts)
        return WriteMatchWorker(self.new_uow, self.journal_of, self.masters, self.as_worker(owner), retry=retry)

    def journal_of(self, company: str) -> OdooJournal:
        return self.journal

    def work(self, rounds: int = 400) -> None:
        """Run every worker until there is nothing to do, letting time pass where something waits."""
        idle = 0
        for _ in range(rounds):
            done = (
                sum(worker.run_once() for worker in (self.builder, self.reconciler, self.matcher)) + self.post_a_batch()
            )
            idle = 0 if done else idle + 1
            if idle > 6:
                return
            self.pass_time(5 if done else 60)

    def post_a_batch(self, poster: PostWorker | None = None) -> int:
        """A turn of the poster, as its loop gives it: that Odoo does not answer ends the turn and nothing else."""
        try:
            return (poster or self.poster).run_once()
        except (OdooUnavailable, OdooDenied):
            return 1

    def moves(self) -> int:
        """Documents in Odoo, drafts too."""
        return int(self.admin.execute("account.move", "search_count", [[]]))

    def balances(self) -> dict[str, str]:
        """Role to balance of what is posted, zeros left out."""
        lines = self.admin.execute(
            "account.move.line", "search_read", [[["parent_state", "=", "posted"]], ["account_id", "balance"]]
        )
        roles = {self.masters.accounts[spec.code]: spec.role for spec in PLAN.accounts}
        sums: dict[str, int] = {}
        for one in lines:
            role = roles[int(one["account_id"][0])]
            sums[role] = sums.get(role, 0) + round(one["balance"] * 100)
        return {role: Money("USD", units).decimal() for role, units in sorted(sums.items()) if units}


class Watched:
    """Counts the calls to Odoo; `before` may fail one, `after` lose its reply."""

    def __init__(self, world: PostingWorld, before: Happens | None = None, after: Happens | None = None) -> None:
        self.calls: Counter[str] = Counter()
        inner: Callable[..., Json] = world.odoo.execute

        def execute(model: str, method: str, args: list[Json], kwargs: Mapping[str, Json] | None = None) -> Json:
            self.calls[f"{model}.{method}"] += 1
            if before:
                before(model, method, args)
            answer = inner(model, method, args, kwargs)
            if after:
                after(model, method, args)
            return answer

        world.odoo.execute = execute  # type: ignore[method-assign]
