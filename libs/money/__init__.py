"""Money as integer minor units: never a float, never a rounded text."""

from .currency import CURRENCIES, UnknownCurrency, exponent_of
from .money import BadAmount, Money

__all__ = ["CURRENCIES", "BadAmount", "Money", "UnknownCurrency", "exponent_of"]
