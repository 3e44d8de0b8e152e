"""The house in figures: how large its modules are, how they hold together, and what an entry loads.

`python -m benchmarks.house` writes the table into results.md and to the end of docs/architecture.md.
"""

import ast
import io
import json
import re
import statistics
import subprocess
import sys
import tokenize
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from grimp import ImportGraph, build_graph

from benchmarks.children import ROOT, ChildFailed, environment
from benchmarks.starts import ENVIRONMENT, entry_of
from benchmarks.tables import table

PACKAGE = "gitlab_hub"
LAYER = ROOT / "layers" / "hub" / "python"
SMALL = 40
"""Lines below which a file is hardly worth opening."""

RUNS = 5
HEADING = "## The house in figures"
WRITTEN_TO = (ROOT / "benchmarks" / "results.md", ROOT / "docs" / "architecture.md")
_NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING,
    tokenize.ENDMARKER,
}  # fmt: skip
_START = f"""
import json, sys, time
from pathlib import Path
started = time.process_time()
from gitlab_hub.composition import entries
getattr(entries, sys.argv[1])(*map(Path, sys.argv[2:]))
seconds = time.process_time() - started
print(json.dumps([sum(name.partition(".")[0] == {PACKAGE!r} for name in sys.modules), seconds]))
"""


def main() -> None:
    """Measure, show, and write down."""
    text = section()
    print(text)
    for path in WRITTEN_TO:
        path.write_text(with_section(path.read_text(), text))


def section() -> str:
    """The figures of today with their heading."""
    files = [path.read_text() for path in sorted((LAYER / PACKAGE).rglob("*.py")) if path.name != "__init__.py"]
    lines = {path: len(path.read_text().splitlines()) for path in (LAYER / PACKAGE).rglob("*.py")}
    graph = build_graph(PACKAGE, cache_dir=None)
    only = sum(has_one_neighbour(graph, module) for module in graph.modules)
    rows = [
        ["modules", str(len(lines))],
        ["code lines per file (mean; without docstrings, comments and `__init__`)", str(mean_code(files))],
        [f"files under {SMALL} lines, `__init__` aside", str(sum(len(one.splitlines()) < SMALL for one in files))],
        ["modules with exactly one importer, a neighbour", str(only)],
        ["arrows between main rooms", str(len(arrows(graph)))],
        ["import circles at module level", str(len(circles(at_module_level(graph))))],
        ["lines of product code", f"{sum(lines.values()):,}"],
        ["lines of `template.yaml`", f"{len((ROOT / 'template.yaml').read_text().splitlines()):,}"],
    ]
    entries = [[name, str(modules), f"{ms:.0f}"] for name, modules, ms in starts()]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    told = (
        f"Taken on {today} by `python -m benchmarks.house`. An entry's time is the processor's,\n"
        f"the least of {RUNS} fresh interpreters."
    )
    return "\n\n".join((
        HEADING,
        told,
        table(("figure", "today"), rows),
        table(("entry", "modules of the hub's", "ms"), entries),
    )) + "\n"  # fmt: skip


def with_section(document: str, text: str) -> str:
    """A document with this section in the place of the one from before, or else at its end."""
    before, found, rest = document.partition(f"{HEADING}\n")
    following = re.search(r"^## ", rest, re.MULTILINE) if found else None
    after = rest[following.start() :] if following else ""
    return before.rstrip("\n") + "\n\n" + text + (f"\n{after}" if after else "")


# Sizes


def mean_code(files: Sequence[str]) -> int:
    """How many lines of code a file has on average."""
    return round(statistics.mean(len(code_lines(text)) for text in files))


def code_lines(text: str) -> set[int]:
    """The numbers of the lines that hold code: no blank ones, no comments, no texts that only stand there."""
    prose = {
        number
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    code = (range(one.start[0], one.end[0] + 1) for one in tokens if one.type not in _NO_CODE)
    return {number for lines in code for number in lines} - prose


# Imports


def has_one_neighbour(graph: ImportGraph, module: str) -> bool:
    """Whether one module alone imports this one, and stands in the same folder."""
    importers = graph.find_modules_that_directly_import(module)
    return len(importers) == 1 and {one.rpartition(".")[0] for one in importers} == {module.rpartition(".")[0]}


def arrows(graph: ImportGraph) -> set[tuple[str, str]]:
    """Which main room imports which: the files and folders of the package itself."""
    pairs = {
        (_room(module), _room(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    }
    return {(room, imported) for room, imported in pairs if room != imported and room and imported}


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def at_module_level(graph: ImportGraph) -> ImportGraph:
    """The graph without what is imported inside of a function, or for types alone."""
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            lines = _source(module).splitlines()
            told = graph.get_import_details(importer=module, imported=imported)
            if all(lines[one["line_number"] - 1].startswith(" ") for one in told):
                graph.remove_import(importer=module, imported=imported)
    return graph


def circles(graph: ImportGraph) -> set[frozenset[str]]:
    """Groups of modules each of which imports, by whatever way, all the others."""
    found = (graph.find_upstream_modules(one) & graph.find_downstream_modules(one) | {one} for one in graph.modules)
    return {frozenset(group) for group in found if len(group) > 1}


def _source(module: str) -> str:
    path = LAYER.joinpath(*module.split("."))
    return (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text()


# Starts


def starts() -> Iterator[tuple[str, int, float]]:
    """Every entry that Lambda calls, how many modules it loads, and the milliseconds of a processor that this takes."""
    for app in sorted((ROOT / "functions").glob("*/app.py")):
        runs = [_start(entry_of(app)) for _ in range(RUNS)]
        # What else the machine does can only add to it.
        yield app.parent.name, runs[0][0], 1000 * min(seconds for _, seconds in runs)


def _start(entry: Sequence[str]) -> tuple[int, float]:
    env = environment(PYTHONPATH=str(LAYER), **ENVIRONMENT)
    command = [sys.executable, "-c", _START, *entry]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own code
    if done.returncode != 0:
        raise ChildFailed(entry[0])
    modules, seconds = json.loads(done.stdout)
    return modules, seconds


if __name__ == "__main__":
    main()
