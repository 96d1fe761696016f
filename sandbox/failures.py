"""What the sandbox answers instead of a result: an error class by the name Odoo gives it, and its text."""

from __future__ import annotations

from functools import partial


class ServerFailure(Exception):
    """An error as it crosses the wire: `name` is what clients classify by."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message

    @property
    def swallowed_by_load(self) -> str:
        """What `load` makes of it: a message's text, the class is lost."""
        if self.name.startswith(("odoo.exceptions.", "psycopg2.")):
            return self.message
        kind = self.name.removeprefix("builtins.")
        return f"Unknown error during import: <class '{kind}'>: {self.message}"


user_error = partial(ServerFailure, "odoo.exceptions.UserError")
validation_error = partial(ServerFailure, "odoo.exceptions.ValidationError")
access_error = partial(ServerFailure, "odoo.exceptions.AccessError")
value_error = partial(ServerFailure, "builtins.ValueError")
type_error = partial(ServerFailure, "builtins.TypeError")
attribute_error = partial(ServerFailure, "builtins.AttributeError")
key_error = partial(ServerFailure, "builtins.KeyError")


def constraint_error(message: str) -> ServerFailure:
    """A rule that the database itself guards."""
    return validation_error(f"The operation cannot be completed: {message}")


def access_denied() -> ServerFailure:
    return ServerFailure("odoo.exceptions.AccessDenied", "Access Denied")


def missing_error(model: str, record_id: int, user_id: int) -> ServerFailure:
    text = f"Record does not exist or has been deleted.\n(Record: {model}({record_id},), User: {user_id})"
    return ServerFailure("odoo.exceptions.MissingError", text)


def beyond_the_sandbox(what: str) -> ServerFailure:
    """Odoo can do it, this stand-in cannot, and says so rather than pretend."""
    return ServerFailure("builtins.NotImplementedError", f"the sandbox does not imitate {what}")
