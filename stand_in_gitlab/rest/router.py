"""Finds the handler of a path; stars stand for one segment, which the handler gets as a name."""

from collections.abc import Iterable

from stand_in_gitlab.rest.ask import Handler
from stand_in_gitlab.rest.refusals import Refusal, no_such_route

Route = tuple[str, str, Handler]


class Router:
    """A table of routes, looked up by method, length and first segment."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._table: dict[tuple[int, str], list[tuple[str, tuple[str, ...], Handler]]] = {}
        for method, path, handler in routes:
            pattern = tuple(path.strip("/").split("/"))
            self._table.setdefault((len(pattern), pattern[0]), []).append((method, pattern, handler))

    def find(self, method: str, segments: tuple[str, ...]) -> tuple[Handler, tuple[str, ...], str]:
        """The handler, the values of its stars, and the pattern's own text; routes given first win."""
        known = False
        for allowed, pattern, handler in self._table.get((len(segments), segments[0] if segments else ""), ()):
            if all(part in {"*", segment} for part, segment in zip(pattern, segments, strict=True)):
                if allowed == method:
                    names = tuple(segment for part, segment in zip(pattern, segments, strict=True) if part == "*")
                    return handler, names, "/".join(pattern)
                known = True
        if known:
            raise Refusal(405, {"error": "405 Not Allowed"})
        raise no_such_route()
