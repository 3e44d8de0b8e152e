"""The names of operations, from their methods and paths: what a generated client calls its functions."""

import re

_BASES = re.compile(r"^/(?:v1/integrations/<integration_id>|api/connections/<connection_id>|v1)(?=/)")
_WITHOUT_NAME = frozenset({"gitlab"})
_VERBS = {"PUT": "replace", "PATCH": "update", "DELETE": "delete"}
_PARAMETER = re.compile(r"<\w+>")


def operation_name(method: str, path: str) -> str:
    """Name an operation: ("POST", "/v1/builds/<build_id>/cancel") → "cancel_build".

    A route whose path says something else than people would say it names itself (`Route.operation`).
    """
    within = _BASES.sub("", path) or "/integrations"
    nouns = [part.replace("-", "_") for part in re.split(r"[/.]", within) if part and not _PARAMETER.fullmatch(part)]
    nouns = [noun for noun in nouns if noun not in _WITHOUT_NAME] or ["integrations"]
    last, before = nouns[-1], nouns[-2] if len(nouns) > 1 else "integrations"
    is_one = path.endswith(">")
    if method == "GET" and (is_one or not last.endswith("s")):
        return f"get_{_one(last)}" if is_one or len(nouns) == 1 else f"get_{_one(before)}_{last}"
    if method == "GET":
        return f"list_{last}"
    if method in _VERBS:
        return f"{_VERBS[method]}_{_one(last)}"
    return f"create_{_one(last)}" if last.endswith("s") else f"{last}_{_one(before)}"


def _one(nouns: str) -> str:
    if nouns.endswith("ies"):
        return f"{nouns[:-3]}y"
    return nouns.removesuffix("s")
