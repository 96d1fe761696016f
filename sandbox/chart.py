"""The demonstration company, as a plan: the same in the sandbox and on a live server."""

from __future__ import annotations

from pathlib import Path

from libs.odoo.plan import read_plan

FILE = Path(__file__).with_name("company.yaml")
PLAN = read_plan(FILE.read_text("utf-8"))
