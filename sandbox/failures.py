"""What the sandbox answers instead of a result: an error class by the name Odoo gives it, and its text."""

from __future__ import annotations


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


def user_error(message: str) -> ServerFailure:
    return ServerFailure("odoo.exceptions.UserError", message)


def validation_error(message: str) -> ServerFailure:
    return ServerFailure("odoo.exceptions.ValidationError", message)


def constraint_error(message: str) -> ServerFailure:
    """A rule that the database itself guards."""
    return validation_error(f"The operation cannot be completed: {message}")


def access_error(message: str) -> ServerFailure:
    return ServerFailure("odoo.exceptions.AccessError", message)


def access_denied() -> ServerFailure:
    return ServerFailure("odoo.exceptions.AccessDenied", "Access Denied")


def missing_error(model: str, record_id: int, user_id: int) -> ServerFailure:
    text = f"Record does not exist or has been deleted.\n(Record: {model}({record_id},), User: {user_id})"
    return ServerFailure("odoo.exceptions.MissingError", text)


def value_error(message: str) -> ServerFailure:
    return ServerFailure("builtins.ValueError", message)


def type_error(message: str) -> ServerFailure:
    return ServerFailure("builtins.TypeError", message)


def attribute_error(message: str) -> ServerFailure:
    return ServerFailure("builtins.AttributeError", message)


def key_error(message: str) -> ServerFailure:
    return ServerFailure("builtins.KeyError", message)


def beyond_the_sandbox(what: str) -> ServerFailure:
    """Odoo can do it, this stand-in cannot, and says so rather than pretend."""
    return ServerFailure("builtins.NotImplementedError", f"the sandbox does not imitate {what}")
