"""A day of recon, in steps that a crash may interrupt."""

from __future__ import annotations

from collections.abc import Callable

from tests.formats.camt_files import document
from tests.recon.world import Crash, World, line_entry, order_event, payout_of

LINES = (("txn_1", 10000, 320), ("txn_2", 5000, 175))


def day(world: World) -> None:
    """A payout, its bank line, an invoice paid by transfer, a line that nothing explains."""
    told = payout_of(world, "po_1001", *LINES)
    world.told(order_event(world, "4711", 11900))
    content = document(
        line_entry("145.05", "STRIPE po_1001"), line_entry("119.00", "order 4711"), line_entry("-7.77", "what is it")
    )
    file, settlement_id = world.file(content), world.ids()
    steps: list[Callable[[], object]] = [
        lambda: world.recon.import_settlement(told, "d", settlement_id),
        lambda: world.recon.import_statement(file, [content]),
        world.run,
    ]
    while steps:
        try:
            steps[0]()
            steps.pop(0)
        except Crash:
            world.recon = world.started()
            world.pass_time(600)  # leases run out
