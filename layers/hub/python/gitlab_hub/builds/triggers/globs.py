"""Patterns of branches, tags and paths.

| in a pattern | fits |
|---|---|
| `?` | one character, but no `/` |
| `*` | any number of characters, but no `/` |
| `**` | any number of characters, `/` too |
| `**/` at the start or after a `/` | any number of whole folders, none too: `docs/**/a.md` fits `docs/a.md` |
| anything else | itself; upper and lower case differ, `[` and `{` mean nothing |

A pattern fits a whole name. A match takes time in proportion to the length of the name, whatever the pattern: patterns
come from callers, and names from whoever can push.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from gitlab_hub.builds.triggers.model import Globs

Matches = Callable[[str], object]

_TOKEN = re.compile(r"(?:(?<=/)|^)\*{2,}/(?:\*{2,}/)*|\*{2,}|\*|\?|[^*?]", re.DOTALL)
_FOLDERS, _ANYTHING, _WITHIN, _ONE = "**/", "**", "*", "?"
_STARS = {_FOLDERS: "(?:.*/)?", _ANYTHING: ".*", _WITHIN: "[^/]*"}


@lru_cache(maxsize=8192)
def matcher(pattern: str) -> Matches:
    """A function that says whether a name fits the pattern; made once for each pattern."""
    tokens = _tokens(pattern)
    if _is_backtracking_safe(tokens):
        return re.compile(_to_regex(tokens), re.DOTALL).fullmatch
    return _Automaton(tokens).fits


@lru_cache(maxsize=4096)
def any_of(patterns: tuple[str, ...]) -> Matches:
    """A function that says whether a name fits one of several patterns; made once for each such group."""
    found = [_tokens(pattern) for pattern in patterns]
    regex = "|".join(_to_regex(tokens) for tokens in found if _is_backtracking_safe(tokens))
    matchers: list[Matches] = [_Automaton(tokens).fits for tokens in found if not _is_backtracking_safe(tokens)]
    if len(matchers) < len(found):
        matchers.insert(0, re.compile(regex, re.DOTALL).fullmatch)
    return matchers[0] if len(matchers) == 1 else lambda name: any(fits(name) for fits in matchers)


def first_fit(patterns: Iterable[str], name: str) -> str | None:
    """The first pattern that fits a name."""
    return next((pattern for pattern in patterns if matcher(pattern)(name)), None)


def first_passing(globs: Globs, names: Iterable[str]) -> str | None:
    """The first of these names that is meant: included, or nothing is by name, and not excluded."""
    included = any_of(globs.include) if globs.include else _anything
    excluded = any_of(globs.exclude)
    return next((name for name in names if included(name) and not excluded(name)), None)


def passes(globs: Globs, name: str) -> bool:
    """Whether something of this name is meant."""
    return first_passing(globs, (name,)) is not None


def _anything(_name: str) -> bool:
    return True


def _tokens(pattern: str) -> list[str]:
    return [_normal(token) for token in _TOKEN.findall(pattern)]


def _is_backtracking_safe(tokens: Sequence[str]) -> bool:
    """Whether a backtracking matcher has little to try: no two stars can share out the same part of a name.

    So it is with one star only, and with at most one in each folder, where `**` comes once: as `**/`, or at the end.
    """
    stars = [token for token in tokens if token in _STARS]
    far = [token for token in stars if token != _WITHIN]
    if len(stars) <= 1:
        return True
    if len(far) > 1 or (_ANYTHING in far and tokens[-1] != _ANYTHING):
        return False
    folders = "".join("/" if token == _FOLDERS else token for token in tokens if token != _ANYTHING)
    return all(folder.count(_WITHIN) <= 1 for folder in folders.split("/"))


def _to_regex(tokens: Sequence[str]) -> str:
    return "".join(_STARS.get(token) or ("[^/]" if token == _ONE else re.escape(token)) for token in tokens)


def _normal(token: str) -> str:
    if len(token) > 1:
        return _FOLDERS if token.endswith("/") else _ANYTHING
    return token


class _Automaton:
    """All ways to read a name at once: one bit for each place in the pattern that it may have got to.

    Characters are looked at once each. (Shift-And: Baeza-Yates and Gonnet, A new approach to text searching, 1992.)
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self._takes: dict[str, int] = {}
        self._takes_one = self._stays = self._stays_within = self._leaves = self._skips = 0
        place = 0
        for token in tokens:
            self._add(token, 1 << place)
            # "**/" takes two places: the folders, and the slash behind them.
            place += 2 if token == _FOLDERS else 1
        self._end = 1 << place

    def fits(self, name: str) -> bool:
        """Whether the whole name fits."""
        places = self._settled(1, 0)
        for character in name:
            slash = character == "/"
            moved = places & (self._takes.get(character, 0) | (0 if slash else self._takes_one))
            places = self._settled(moved << 1, places & (self._stays | (0 if slash else self._stays_within)))
            if not places:
                return False
        return bool(places & self._end)

    def _settled(self, entered: int, stayed: int) -> int:
        # Only on entering may folders be skipped together with their slash: "a/**/b" does not fit "a/xb".
        places = entered | (entered & self._skips) << 2 | stayed
        return places | (places & self._leaves) << 1

    def _add(self, token: str, bit: int) -> None:
        if token == _FOLDERS:
            self._skips |= bit
            self._takes["/"] = self._takes.get("/", 0) | bit << 1
        if token in {_FOLDERS, _ANYTHING}:
            self._stays |= bit
        elif token == _WITHIN:
            self._stays_within |= bit
        elif token == _ONE:
            self._takes_one |= bit
        else:
            self._takes[token] = self._takes.get(token, 0) | bit
        if token in _STARS:
            self._leaves |= bit
