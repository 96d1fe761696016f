"""Which Odoo error is which: by the class's name, never by its text."""

from __future__ import annotations

import pytest

from libs.odoo.errors import (
    OdooConflict,
    OdooDenied,
    OdooError,
    OdooMalformed,
    OdooMissing,
    OdooOutcomeUnknown,
    OdooRefused,
    conflict_in_load,
    error_for,
)

CLASSES = [
    ("psycopg2.errors.SerializationFailure", OdooConflict),
    ("psycopg2.errors.DeadlockDetected", OdooConflict),
    ("psycopg2.errors.LockNotAvailable", OdooConflict),
    ("psycopg2.OperationalError", OdooOutcomeUnknown),
    ("psycopg2.errors.AdminShutdown", OdooOutcomeUnknown),
    ("psycopg2.InterfaceError", OdooOutcomeUnknown),
    ("psycopg2.errors.UniqueViolation", OdooRefused),
    ("werkzeug.exceptions.InternalServerError", OdooOutcomeUnknown),
    ("odoo.exceptions.UserError", OdooRefused),
    ("odoo.exceptions.ValidationError", OdooRefused),
    ("odoo.exceptions.RedirectWarning", OdooRefused),
    ("odoo.exceptions.MissingError", OdooMissing),
    ("odoo.exceptions.AccessDenied", OdooDenied),
    ("odoo.exceptions.AccessError", OdooDenied),
    ("odoo.http.SessionExpiredException", OdooDenied),
    ("werkzeug.exceptions.Unauthorized", OdooDenied),
    ("werkzeug.exceptions.NotFound", OdooMalformed),
    ("werkzeug.exceptions.UnprocessableEntity", OdooMalformed),
    ("builtins.ValueError", OdooMalformed),
    ("builtins.TypeError", OdooMalformed),
    ("builtins.AttributeError", OdooMalformed),
    ("builtins.KeyError", OdooMalformed),
    ("", OdooMalformed),
]


@pytest.mark.parametrize("name, expected", CLASSES)
def test_an_error_is_classified_by_its_class_name(name: str, expected: type[OdooError]) -> None:
    misleading = "could not serialize access; Access Denied; must be in draft"
    assert type(error_for(name, misleading)) is expected


def test_the_text_of_odoo_is_kept_beside_the_error_but_not_in_what_is_logged() -> None:
    error = error_for("odoo.exceptions.UserError", "The total of debits equals $ 10.00")
    assert error.message == "The total of debits equals $ 10.00"
    assert "10.00" not in str(error) + repr(error)
    assert str(error) == "Odoo: odoo.exceptions.UserError"


REFUSAL = "You cannot modify the following readonly fields on a posted move: date, line_ids"


@pytest.mark.parametrize(
    "texts, expected",
    [
        (["could not serialize access due to concurrent update\n"], True),
        (["deadlock detected"], True),
        ([REFUSAL], False),
        ([REFUSAL, "could not serialize access due to concurrent update\n"], True),
        ([], False),
    ],
)
def test_a_conflict_that_load_swallowed_is_known_by_its_text_alone(texts: list[str], expected: bool) -> None:
    assert conflict_in_load([{"type": "error", "message": text} for text in texts]) is expected
