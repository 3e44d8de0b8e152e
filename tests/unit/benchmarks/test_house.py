"""The figures of the house: what counts as code, as a circle, as an arrow, and where the table goes."""

from grimp import ImportGraph

from benchmarks.children import ROOT
from benchmarks.house import HEADING, arrows, circles, code_lines, has_one_neighbour, with_section
from benchmarks.starts import entry_of
from gitlab_hub.composition import entries

FILE = '''"""What it is for."""

# Why.
ONE = 1
"""What one is."""


def two() -> str:
    """Say it."""
    return """
    two
    """
'''


def graph_of(**imports: str) -> ImportGraph:
    graph = ImportGraph()
    for module in {f"hub.{name}".replace("_", ".") for pair in imports.items() for name in pair}:
        graph.add_module(module)
    for importer, imported in imports.items():
        graph.add_import(importer=f"hub.{importer}".replace("_", "."), imported=f"hub.{imported}".replace("_", "."))
    return graph


def test_code_is_what_neither_comments_nor_only_stands_there() -> None:
    assert code_lines(FILE) == {4, 8, 10, 11, 12}


def test_circles_are_counted_once_whatever_their_way() -> None:
    graph = graph_of(a_one="b_two", b_two="c_three", c_three="a_one", d_four="a_one")
    assert circles(graph) == {frozenset({"hub.a.one", "hub.b.two", "hub.c.three"})}
    assert arrows(graph) == {("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")}


def test_a_neighbour_stands_in_the_same_folder() -> None:
    graph = graph_of(a_one="a_two", b_one="c_two")
    assert [has_one_neighbour(graph, module) for module in ("hub.a.two", "hub.c.two", "hub.a.one")] == [
        True, False, False,
    ]  # fmt: skip


def test_the_table_takes_the_place_of_the_one_before() -> None:
    new = f"{HEADING}\n\nnew\n"
    assert with_section("# Title\n", new) == f"# Title\n\n{new}"
    assert with_section(f"# Title\n\n{HEADING}\n\nold\n\n## After\n\nx\n", new) == f"# Title\n\n{new}\n## After\n\nx\n"


def test_every_function_has_an_entry_that_can_be_measured() -> None:
    apps = sorted((ROOT / "functions").glob("*/app.py"))
    found = {app.parent.name: entry_of(app) for app in apps}
    assert [name for name, (entry, *_) in found.items() if not hasattr(entries, entry)] == []
    assert {name: given for name, (_, *given) in found.items() if given} == {
        "console": [str(ROOT / "functions" / "console")]
    }
