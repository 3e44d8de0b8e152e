"""What the docs name is there: files and folders; in those about the code also classes, their methods, constants."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "layers" / "hub" / "python" / "gitlab_hub"
CODE = ("layers", "functions", "cli", "local", "stand_in_gitlab", "benchmarks", "tests")
PAGES = ("architecture.md", "adding.md")
MORE_PAGES = ("decisions.md", "stand-in-gitlab.md")
TOPS = (ROOT, PACKAGE, ROOT / "stand_in_gitlab")

_SPAN = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*(?:/|\.(?:py|md|yaml|json|toml))")
_METHOD = re.compile(r"\b([A-Z][A-Za-z]*[a-z][A-Za-z]*)\.([a-z_]+)\b")
_CLASS = re.compile(r"[A-Z][A-Za-z]*[a-z][A-Za-z]*")
_CONSTANT = re.compile(r"[A-Z][A-Z_]+[A-Z]")
_OF_OTHERS = frozenset({"Field"})
"""Of pydantic."""


@cache
def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


@cache
def files() -> list[Path]:
    return [path for folder in CODE for path in (ROOT / folder).rglob("*") if ".aws-sam" not in path.parts]


@cache
def defined() -> dict[str, set[str]]:
    """Names of classes, functions and constants of all code; of a class also what it has."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in files():
        if path.suffix == ".py":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    found[node.name] |= set(members(node))
                elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    found[node.name] |= set()
                elif isinstance(node, ast.Assign | ast.AnnAssign):
                    for name in names_of(node):
                        found[name] |= set()
    return found


def members(node: ast.ClassDef) -> Iterator[str]:
    """Methods and attributes, those that `__init__` sets among them."""
    for each in ast.walk(node):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield each.name
        elif isinstance(each, ast.Assign | ast.AnnAssign):
            yield from names_of(each)


def names_of(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    for target in targets:
        for each in ast.walk(target):
            if isinstance(each, ast.Name):
                yield each.id
            elif isinstance(each, ast.Attribute):
                yield each.attr


def spans(name: str) -> list[str]:
    return _SPAN.findall(page(name))


def is_there(path: str) -> bool:
    """Whether a file or folder is below one of the tops, or is one of this name wherever it lies."""
    if "/" in path.rstrip("/"):
        return any((top / path).exists() for top in TOPS)
    wanted = path.rstrip("/")
    return (ROOT / wanted).exists() or (ROOT / "docs" / wanted).exists() or any(one.name == wanted for one in files())


@pytest.mark.parametrize("name", [*PAGES, *MORE_PAGES])
def test_every_file_and_folder_that_is_named_is_there(name: str) -> None:
    paths = {span for span in spans(name) if _PATH.fullmatch(span)}
    assert len(paths) > 5
    assert sorted(path for path in paths if not is_there(path)) == []


@pytest.mark.parametrize("name", PAGES)
def test_every_class_and_constant_that_is_named_is_there(name: str) -> None:
    template = (ROOT / "template.yaml").read_text()
    named = {span for span in spans(name) if _CLASS.fullmatch(span) or _CONSTANT.fullmatch(span)} - _OF_OTHERS
    assert len(named) > 5
    unknown = named - defined().keys()
    assert sorted(one for one in unknown if not re.search(rf"^  {one}\w*:$", template, re.MULTILINE)) == []


def test_every_method_in_the_journeys_is_there() -> None:
    named = set(_METHOD.findall(page("architecture.md")))
    assert len(named) > 30
    assert sorted(f"{one}.{method}" for one, method in named if method not in defined().get(one, ())) == []
