"""The sandbox: a stand-in for Odoo that keeps real books by Odoo's recorded rules.

For evaluation, demonstration and tests. It is not Odoo and says so; what it cannot
imitate it refuses.
"""

from .engine import Sandbox
from .failures import ServerFailure
from .seed import add_user, bootstrap
from .transport import InProcess, LossyTransport

__all__ = ["InProcess", "LossyTransport", "Sandbox", "ServerFailure", "add_user", "bootstrap"]
