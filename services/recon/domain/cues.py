"""Words that people write before a document's number, and before numbers of something else. Data, in upper case."""

from __future__ import annotations

_DOCUMENTS = """
    ORDER ORDERS INVOICE INVOICES INV PAYOUT PAYMENT DOCUMENT
    RECHNUNG RECHNUNGSNR RECHNUNGSNUMMER RG RGNR RE RENR BELEG AUFTRAG AUFTRAGSNR BESTELLUNG BESTELLNR BESTELLNUMMER
    FACTURE COMMANDE FACTURA PEDIDO FATTURA ORDINE FACTUUR BESTELLING FAKTURA ORDRE BESTILLING LASKU TILAUS ZAMOWIENIE
"""
_GENERIC = "NO NR NUM NUMBER NUMMER REF REFERENCE REFERENZ"

DOCUMENT_CUES = frozenset(_DOCUMENTS.split())
# They say only that a number follows: of what, the word before them says.
GENERIC_CUES = frozenset(_GENERIC.split())
CALLS = frozenset({"TEL", "TELEFON", "TELEPHONE", "PHONE", "CALL", "FAX", "MOBILE", "MOBIL", "HANDY", "CELL"})
