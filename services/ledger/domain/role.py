"""The roles of accounts in the posting rules; masterdata says which account each company has for one."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    PAYABLE = "AP"
    RECEIVABLE = "AR"
    BANK = "BNK"
    LOST_DISPUTE = "CBL"
    CLEARING = "CLR"  # money at the provider
    DISPUTE_FEE = "DFE"
    DISPUTED = "DSP"
    EXPENSE = "EXP"
    FEE = "FEE"
    FEE_WITHHELD = "FWH"
    EXCHANGE = "FXD"
    GIFT_CARD = "GCL"
    INPUT_TAX = "ITX"
    RETURN = "RET"
    REVENUE = "REV"
    ROUNDING = "RND"
    RESERVE = "RSV"
    SHIPPING = "SHP"
    SUSPENSE = "SUS"
    TAX = "TAX"
    TRANSIT = "TRN"  # paid out by the provider, not yet at the bank
    UNEXPLAINED = "UNX"
    MOVED = "MOVED"  # no account's: what stood on suspense until a match moved it


# Lines that a story closes by itself: what is owed, and what was paid or given back of it.
STORY_ROLES = (Role.RECEIVABLE, Role.PAYABLE, Role.DISPUTED)
