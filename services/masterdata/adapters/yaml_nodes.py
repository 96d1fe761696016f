"""Strict YAML: plain texts, lists and mappings with their places; no tags, no anchors, no key twice.

Scalars are read as the text that stands there, so that a code `012` stays one and a rate never becomes a float.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import yaml

CHARACTERS_AT_MOST = 1024 * 1024
DEPTH_AT_MOST = 8
PROBLEMS_AT_MOST = 50
# The same language, read by libyaml where the wheel has it: ten times as fast, with the same places.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp"))
_NULL = "tag:yaml.org,2002:null"
_EVENT_STARTS = (yaml.MappingStartEvent, yaml.SequenceStartEvent)
_EVENT_ENDS = (yaml.MappingEndEvent, yaml.SequenceEndEvent)

T = TypeVar("T")


class Refused(Exception):
    """The text can't be read any further; the problem is in the list."""


@dataclass(slots=True)
class Problems:
    """What is wrong in a file, each with its place, in the order in which it was found."""

    found: list[tuple[int, int, str]] = field(default_factory=list)

    def add(self, node: yaml.Node, message: str) -> None:
        self.at(node.start_mark, message)

    def at(self, mark: Any, message: str) -> None:
        """`mark` is the parser's (there are two such classes), or None for the file's start."""
        if len(self.found) < PROBLEMS_AT_MOST:
            self.found.append((mark.line + 1 if mark else 1, mark.column + 1 if mark else 1, message))

    def texts(self) -> list[str]:
        return [f"line {line}, column {column}: {message}" for line, column, message in sorted(self.found)]


def compose(text: str, problems: Problems) -> yaml.MappingNode:
    """The one document's top mapping. Raises `Refused`."""
    if len(text) > CHARACTERS_AT_MOST:
        problems.at(None, f"the file is longer than {CHARACTERS_AT_MOST} characters")
        raise Refused
    try:
        _check_events(text, problems)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        problems.at(error.problem_mark, f"not YAML: {error.problem}")
        raise Refused from None
    except yaml.reader.ReaderError:
        problems.at(None, "not YAML: the text holds a character that YAML does not allow")
        raise Refused from None
    if not isinstance(node, yaml.MappingNode):
        problems.at(node.start_mark if node else None, "the file must be a mapping")
        raise Refused
    return node


def _check_events(text: str, problems: Problems) -> None:
    """Anchors, tags and depth, before any tree is made of them."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, _EVENT_STARTS):
            depth += 1
        elif isinstance(event, _EVENT_ENDS):
            depth -= 1
        if depth > DEPTH_AT_MOST:
            problems.at(event.start_mark, "nested too deeply")
            raise Refused
        if getattr(event, "anchor", None) is not None:
            problems.at(event.start_mark, "anchors and aliases are not allowed")
            raise Refused
        if getattr(event, "tag", None) is not None:
            problems.at(event.start_mark, "tags are not allowed")
            raise Refused


class Section:
    """A mapping of the file: known keys only, each once. Whatever is wrong goes to `problems`."""

    def __init__(self, node: yaml.Node, where: str, problems: Problems, known: Iterable[str]) -> None:
        self.node = node
        self.where = where
        self.line = node.start_mark.line + 1
        self._problems = problems
        self._values: dict[str, yaml.Node] = {}
        self._is_mapping = isinstance(node, yaml.MappingNode)
        if not isinstance(node, yaml.MappingNode):
            problems.add(node, f"{where} must be a mapping")
            return
        allowed = tuple(known)
        for key, value in pairs(node, where, problems):
            if key.value not in allowed:
                problems.add(key, f"{where}: unknown key {key.value!r}; known are {', '.join(allowed)}")
            elif not _is_null(value):
                self._values[key.value] = value

    def has(self, key: str) -> bool:
        return key in self._values

    def problem(self, key: str, message: str) -> None:
        """Say what is wrong with a key; nothing more of what is no mapping at all."""
        if not self._is_mapping:
            return
        self._problems.add(self._values.get(key, self.node), f"{self.where}: {message}")

    def text(self, key: str, *, required: bool = False, default: str = "") -> str:
        """The text under a key; the default where it is not there."""
        node = self._values.get(key)
        if node is None:
            if required:
                self.problem(key, f"{key} is required")
            return default
        return scalar(node, f"{self.where}: {key}", self._problems)

    def read(self, key: str, parse: Callable[[str], T], default: T, *, required: bool = False) -> T:
        """What `parse` makes of the text; its ValueError becomes a problem at that place."""
        text = self.text(key, required=required)
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as error:
            self.problem(key, f"{key}: {error}")
            return default

    def one_of(self, key: str, known: Iterable[str], *, required: bool = False, default: str = "") -> str:
        """A text out of a few."""
        allowed = tuple(known)
        text = self.text(key, required=required, default=default)
        if text and text not in allowed:
            self.problem(key, f"{key} must be one of {', '.join(allowed)}")
        return text

    def items(self, key: str) -> list[tuple[yaml.Node, str]]:
        """The list under a key, each item with what to call it; empty where it is not there."""
        node = self._values.get(key)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.problem(key, f"{key} must be a list")
            return []
        where = f"{self.where}.{key}" if self.where != "the file" else key
        return [(item, f"{where}[{number}]") for number, item in enumerate(node.value)]

    def texts(self, key: str) -> list[tuple[yaml.Node, str]]:
        """The list of texts under a key, each with its place."""
        return [(item, scalar(item, where, self._problems)) for item, where in self.items(key)]

    def lists(self, key: str) -> Mapping[str, list[tuple[yaml.Node, str]]]:
        """A mapping from free keys to lists of texts."""
        node = self._values.get(key)
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            self.problem(key, f"{key} must be a mapping")
            return {}
        found = {}
        for name, value in pairs(node, f"{self.where}: {key}", self._problems):
            if not isinstance(value, yaml.SequenceNode):
                self._problems.add(value, f"{self.where}: {key}: {name.value!r} must be a list")
                continue
            where = f"{self.where}: {key}"
            found[str(name.value)] = [(item, scalar(item, where, self._problems)) for item in value.value]
        return found


def pairs(node: yaml.MappingNode, where: str, problems: Problems) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    """Key and value nodes; a key that comes again, or is no text, is a problem."""
    found: dict[str, tuple[yaml.ScalarNode, yaml.Node]] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            problems.add(key, f"{where}: a key must be a text")
        elif key.value in found:
            first = found[key.value][0].start_mark.line + 1
            problems.add(key, f"{where}: the key {key.value!r} stands in line {first} already")
        else:
            found[key.value] = (key, value)
    return list(found.values())


def scalar(node: yaml.Node, where: str, problems: Problems) -> str:
    """The text that stands there, trimmed; empty with a problem where it is none."""
    if not isinstance(node, yaml.ScalarNode) or node.tag not in _PLAIN:
        problems.add(node, f"{where} must be a text")
        return ""
    text = str(node.value).strip()
    if not text or _is_null(node):
        problems.add(node, f"{where} is empty")
        return ""
    if not text.isprintable():
        problems.add(node, f"{where} holds control characters")
        return ""
    return text


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == _NULL
