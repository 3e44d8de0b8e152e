"""What patterns fit, against examples and against a matcher that is slow and plain."""

import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitlab_hub.builds.triggers.globs import any_of, first_fit, first_passing, matcher, passes
from gitlab_hub.builds.triggers.model import Globs


def fits(pattern: str, name: str) -> bool:
    return bool(matcher(pattern)(name))


def plainly(pattern: str, name: str) -> bool:
    """The table of globs.py, word for word."""

    @cache
    def at(place: int, read: int) -> bool:
        rest, left = pattern[place:], name[read:]
        if not rest:
            return not left
        if rest.startswith("**"):
            stars = len(rest) - len(rest.lstrip("*"))
            if (place == 0 or pattern[place - 1] == "/") and rest[stars : stars + 1] == "/":
                behind = [read] + [index + 1 for index in range(read, len(name)) if name[index] == "/"]
                return any(at(place + stars + 1, start) for start in behind)
            return any(at(place + stars, end) for end in range(read, len(name) + 1))
        if rest[0] == "*":
            ends = range(read, read + len(left.partition("/")[0]) + 1)
            return any(at(place + 1, end) for end in ends)
        if not left or (left[0] == "/" if rest[0] == "?" else left[0] != rest[0]):
            return False
        return at(place + 1, read + 1)

    return at(0, 0)


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("main", ["main"], ["Main", "mainline", "a/main", ""]),
        ("release-?", ["release-1"], ["release-", "release-10", "release-/"]),
        ("feature/*", ["feature/a", "feature/"], ["feature/a/b", "feature", "x/feature/a"]),
        ("*", ["main", ""], ["feature/a"]),
        ("**", ["main", "feature/a/b", ""], []),
        ("feature/**", ["feature/a", "feature/a/b"], ["feature", "features/a"]),
        ("**/test", ["test", "a/test", "a/b/test"], ["atest", "a/btest"]),
        ("docs/**/*.md", ["docs/a.md", "docs/a/b/c.md"], ["docs.md", "docs/a.rst", "docsa.md"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["a/xb", "ab", "a/b/c"]),
        ("a**b", ["ab", "a/x/b"], ["a/x/c"]),
        ("**/**/b", ["b", "x/b", "x/y/b"], ["xb"]),
        ("***", ["a/b"], []),
        ("*/*", ["a/b", "/"], ["a", "a/b/c"]),
        ("v[0-9].{x}+(a|b)$", ["v[0-9].{x}+(a|b)$"], ["v1.x"]),
        ("a.c", ["a.c"], ["abc"]),
        ("*.p?", ["a.py", "a\n.py", ".p?"], ["a.pyc", "a/b.py"]),
        ("émile/*", ["émile/ü"], ["emile/u"]),
    ],
)
def test_a_pattern_fits_what_its_table_says(pattern: str, fitting: list[str], others: list[str]) -> None:
    assert [name for name in fitting if not fits(pattern, name)] == []
    assert [name for name in others if fits(pattern, name)] == []


@settings(max_examples=1_000)
@given(st.text("ab/*?", max_size=9), st.text("ab/", max_size=9))
def test_every_pattern_fits_as_a_plain_matcher_says(pattern: str, name: str) -> None:
    assert fits(pattern, name) == plainly(pattern, name)


@settings(max_examples=500)
@given(st.lists(st.sampled_from(["**/", "**", "*", "?", "/", "a", "b/"]), max_size=6), st.text("ab/", max_size=10))
def test_stars_share_out_a_name_as_a_plain_matcher_says(parts: list[str], name: str) -> None:
    pattern = "".join(parts)
    assert fits(pattern, name) == plainly(pattern, name)


@given(st.lists(st.text("ab/*?", max_size=6), max_size=5), st.text("ab/", max_size=8))
def test_a_name_fits_one_of_several_patterns_if_it_fits_any(patterns: list[str], name: str) -> None:
    assert bool(any_of(tuple(patterns))(name)) == any(plainly(pattern, name) for pattern in patterns)


@pytest.mark.parametrize(
    "pattern",
    [
        "*a" * 60 + "b", "**a" * 60 + "b", "**/" * 20 + "*a" * 50 + "b", "?*" * 90, "*a**b", "**/**a*b", "**/*a*b",
        "**/*a" + "/*a" * 50 + "b", "*a/" * 60 + "**b", "*a" + "/*a" * 60 + "/**/b", "*a**", "**ab", "**/ab",
        "*a/**/*b", "**/a/" * 30 + "b",
    ],
)  # fmt: skip
def test_no_pattern_is_slow(pattern: str) -> None:
    started = time.process_time()
    for name in ("a" * 4_000, "a/" * 2_000, "a" * 4_000 + "/", ("a" * 60 + "/") * 60):
        fits(pattern, name)
    # A backtracking matcher takes minutes for some of these, and the age of the universe for others.
    assert time.process_time() - started < 2


def test_the_first_pattern_that_fits_is_named() -> None:
    assert first_fit(("x", "m*", "main"), "main") == "m*"
    assert first_fit(("x",), "main") is None


def test_the_first_name_that_is_meant_is_given() -> None:
    globs = Globs(include=("src/**", "**/*.md"), exclude=("src/tmp/**",))
    assert first_passing(globs, ["x", "src/tmp/a", "docs/a.md", "src/b"]) == "docs/a.md"
    assert first_passing(globs, ["x", "src/tmp/a"]) is None
    assert first_passing(Globs(), ["x"]) == "x"


@pytest.mark.parametrize(
    ("globs", "passing"),
    [
        (Globs(), True),
        (Globs(include=("m*",)), True),
        (Globs(include=("x", "main")), True),
        (Globs(include=("x",)), False),
        (Globs(exclude=("x",)), True),
        (Globs(exclude=("m*",)), False),
        (Globs(include=("main",), exclude=("m*",)), False),
    ],
)
def test_an_exclusion_wins_over_an_inclusion(globs: Globs, passing: bool) -> None:
    assert passes(globs, "main") is passing
