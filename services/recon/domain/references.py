"""Which numbers of open documents stand in a line's text, as whole references.

A number is looked for in the forms in which people write it: without or with other separators, with a prefix or
leading zeros dropped, cut by a blank, glued to a word, in full-width digits. It counts only as a whole: never as a
piece of a longer number, and not in a date, a time, an amount, an account number or a phone number. What could as well
be a house's number or a postcode counts only after a word that says which number it is, or where it is all that is
said.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .cues import CALLS, DOCUMENT_CUES, GENERIC_CUES

_RUN = re.compile(r"[^\W\d_]+|\d+")
_JOINERS = frozenset("/-._\\:")
_NOTHING = "\x00"  # stands for what is no reference; joins and separates nothing
_SHORTEST = 4
_LONG_DIGITS = 8  # digits that need no word before them
_FEWEST_DISTINCT = 3
_GLUED_WORD = 4  # letters right after a number that are a word and no part of it
_PREFIX_FREE_DIGITS = 5  # a number whose prefix may be dropped has as many others

_IBAN = re.compile(r"(?<![A-Z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![A-Z0-9])")
_RF = re.compile(r"(?<![A-Z0-9])RF(\d{2})((?: ?[A-Z0-9]{4}){0,5}(?: ?[A-Z0-9]{1,4})?)(?![A-Z0-9])")
_OTHERS = re.compile(
    r"""
      (?<![\w/.-])\d{4}-\d{2}-\d{2}(?![\w/-])                        # a date
    | (?<![\w/.-])\d{1,2}(?P<sep>[./-])\d{1,2}(?P=sep)(?:\d{4}|\d{2})(?![\w/-])
    | (?<![\w:])\d{1,2}:\d{2}(?::\d{2})?(?![\w:])                    # a time
    | (?<![\w.,])\d{1,3}(?:[.,' ]\d{3})*[.,]\d{2}(?![\w.,]*\d)       # an amount
    | (?<![\w.,])\d+[.,]\d{2}(?![\w.,]*\d)
    | \+\d[\d /()-]{5,}                                              # a phone number
    """,
    re.VERBOSE,
)
_CALLED = re.compile(rf"\b(?:{'|'.join(sorted(CALLS))})\b\D{{0,12}}[\d /()-]+")


@dataclass(frozen=True, slots=True)
class Said:
    """What a text names: tokens of known numbers, and numbers in a form of ours that belong to nothing open."""

    known: frozenset[str]
    strangers: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Run:
    """Letters or digits without a break, with what stands before them."""

    text: str
    gap: str

    @property
    def digits(self) -> bool:
        return self.text[0].isdigit()


class Numbers:
    """The numbers of what is open in a company, ready to be found in texts."""

    def __init__(self, numbers: Iterable[str]) -> None:
        self._forms: dict[str, set[str]] = {}
        self._shapes: set[tuple[str, int]] = set()
        self._longest_form = 0
        for number in numbers:
            token = token_of(number)
            if not token:
                continue
            if (shape := _shape(token)) is not None:
                self._shapes.add(shape)
            for form in _forms(number, token):
                self._forms.setdefault(form, set()).add(token)
                self._longest_form = max(self._longest_form, len(form))

    def said_in(self, texts: Iterable[str]) -> Said:
        """Each text is a field of its own: nothing is joined across two of them."""
        known: set[str] = set()
        strangers: set[str] = set()
        for text in texts:
            self._read(_readable(text), known, strangers)
        return Said(frozenset(known), frozenset(strangers))

    def _read(self, text: str, known: set[str], strangers: set[str]) -> None:
        text = self._without_others(text, known, strangers)
        runs = list(_runs(text))
        found_to = -1  # the run after the last reference: a list of numbers may be joined by anything
        start = 0
        while start < len(runs):
            end = self._longest(runs, start, start == found_to)
            if end:
                key = "".join(run.text for run in runs[start:end])
                tokens = self._forms.get(key)
                if tokens is None:
                    strangers.add(key)
                else:
                    known |= tokens
                found_to = start = end
            else:
                start += 1

    def _longest(self, runs: list[_Run], start: int, follows: bool) -> int:
        """The end of the longest known reference that begins here, else of a stranger; 0 if none does."""
        if not follows and not _begins(runs, start):
            return 0
        best, stranger, key = 0, 0, ""
        for end in range(start + 1, len(runs) + 1):
            run = runs[end - 1]
            if end > start + 1 and (len(run.gap) > 2 or _NOTHING in run.gap):
                break
            key += run.text
            if len(key) > self._longest_form:
                break
            known = key in self._forms
            if not known and _shape(key) not in self._shapes:
                continue
            cut = key.isdigit() and end > start + 1 and (not known or len(key) < _LONG_DIGITS)
            whole = self._ends(runs, end) and not cut
            if whole and _says(runs, start, key, listed=follows, cue_needed=not known and key.isdigit()):
                best, stranger = (end, stranger) if known else (best, end)
        return best or stranger

    def _ends(self, runs: list[_Run], end: int) -> bool:
        """Whether what follows is no part of the number."""
        if end == len(runs):
            return True
        last, after = runs[end - 1], runs[end]
        if not after.gap or after.gap in _JOINERS:
            word = not after.digits and len(after.text) >= _GLUED_WORD
            return (last.digits and word) or (bool(after.gap) and after.text in self._forms)
        return not (after.gap == " " and last.digits and after.digits and after.text not in self._forms)

    def _without_others(self, text: str, known: set[str], strangers: set[str]) -> str:
        """The text without what is no reference of a document; structured references are read on the way."""

        def structured(found: re.Match[str]) -> str:
            payload = found[2].replace(" ", "")
            if not payload:
                return found[0]
            if _remainder(payload + "RF" + found[1]) != 1:
                strangers.add(found[0].replace(" ", ""))  # it means some document, and nobody knows which
            else:
                known.update(self._forms.get(payload.lstrip("0"), self._forms.get(payload, ())))
            return _NOTHING

        def account(found: re.Match[str]) -> str:
            compact = found[0].replace(" ", "")
            return _NOTHING if _remainder(compact[4:] + compact[:4]) == 1 else found[0]

        text = _IBAN.sub(account, _RF.sub(structured, text))
        return _OTHERS.sub(_NOTHING, _CALLED.sub(_NOTHING, text))


def token_of(number: str) -> str:
    """A number by itself: upper case, letters and digits only; empty if it is too short or has no digit."""
    token = "".join(_RUN.findall(_readable(number)))
    return token if len(token) >= _SHORTEST and any(character.isdigit() for character in token) else ""


def _readable(text: str) -> str:
    """In one spelling, upper case, without characters that nobody sees."""
    if text.isascii():
        return text.upper()
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(character for character in plain if unicodedata.category(character) != "Cf")


def _forms(number: str, token: str) -> set[str]:
    """How people write a number, without separators."""
    parts = [part for part in _RUN.findall(_readable(number)) if part]
    spelled = [parts]
    if parts[-1].isdigit() and (short := parts[-1].lstrip("0")) and short != parts[-1]:
        spelled.append([*parts[:-1], short])
    forms = {token}
    for parts in spelled:
        forms.add("".join(parts))
        rest = "".join(parts[1:])
        if len(parts) > 1 and not parts[0].isdigit() and rest.isdigit() and len(rest) >= _PREFIX_FREE_DIGITS:
            forms.add(rest)
    return {form for form in forms if len(form) >= _SHORTEST}


def _shape(key: str) -> tuple[str, int] | None:
    """What a numbering has in common: its prefix, and how many digits follow; None for an id that is no numbering."""
    digits = key.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return (key[: len(key) - len(digits)], len(digits)) if digits.isdigit() else None


def _runs(text: str) -> Iterator[_Run]:
    """In order; a word that says which number follows is cut from what is glued to it."""
    last = 0
    for found in _RUN.finditer(text):
        word, gap = found[0], text[last : found.start()]
        last = found.end()
        cue = next((cue for cue in _LONG_CUES if word.startswith(cue) and word not in DOCUMENT_CUES), "")
        if cue:
            yield _Run(cue, gap)
            word, gap = word[len(cue) :], ""
        yield _Run(word, gap)


_LONG_CUES = sorted((cue for cue in DOCUMENT_CUES if len(cue) >= 5), key=len, reverse=True)


def _begins(runs: list[_Run], start: int) -> bool:
    """Whether what stands before is no part of the number."""
    if start == 0:
        return True
    run, before = runs[start], runs[start - 1]
    if before.text in DOCUMENT_CUES | GENERIC_CUES:
        return _begins(runs, start - 1)
    if not run.gap or run.gap in _JOINERS - {":"} or (run.gap == ":" and before.digits):
        return False
    return not (run.gap == " " and before.digits and run.digits)


def _cued(runs: list[_Run], start: int) -> bool:
    """Whether a word says that a document's number follows."""
    if runs[start].gap.endswith("#") and (start == 0 or runs[start - 1].text not in _STREETS):
        return True
    if start == 0 or _NOTHING in runs[start].gap or len(runs[start].gap) > 3:
        return False
    before = runs[start - 1].text
    if before in GENERIC_CUES:
        return start == 1 or runs[start - 2].text in DOCUMENT_CUES
    return before in DOCUMENT_CUES


_STREETS = frozenset({"APT", "UNIT", "SUITE", "STREET", "ROOM"})


def _says(runs: list[_Run], start: int, key: str, *, listed: bool, cue_needed: bool) -> bool:
    """Whether the number says enough by itself, by the word before it, or as one of a list."""
    if key.isdigit() and len(key) == 4 and 1900 <= int(key) <= 2099:
        return False  # a year, whatever stands before it
    if listed or _cued(runs, start) or len(runs) == 1:
        return True
    if cue_needed or len(set(key)) < _FEWEST_DISTINCT:
        return False
    if key.isdigit():
        return len(key) >= _LONG_DIGITS and not _is_date(key)
    return sum(character.isdigit() for character in key) >= _SHORTEST - 1 or len(key) >= _LONG_DIGITS


def _is_date(key: str) -> bool:
    """Eight digits that may be a day."""
    if len(key) != 8:
        return False
    orders = ((key[:4], key[4:6], key[6:]), (key[4:], key[2:4], key[:2]), (key[4:], key[:2], key[2:4]))
    return any(
        1990 <= int(year) <= 2099 and 1 <= int(month) <= 12 and 1 <= int(day) <= 31 for year, month, day in orders
    )


def _remainder(rearranged: str) -> int:
    """ISO 7064 MOD 97-10 over letters as numbers; 1 where the check digits are right."""
    if not rearranged.isascii():
        return 0
    return int("".join(str(int(character, 36)) for character in rearranged)) % 97
