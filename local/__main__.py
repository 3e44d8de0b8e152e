"""`python -m local up | gitlab | demo`: the bundle, the stand-in GitLab, or both with a story."""

import importlib
import sys
from collections.abc import Sequence

from local.problems import Problem

COMMANDS = {
    "up": ("local.up", "run the bundle on this machine"),
    "gitlab": ("stand_in_gitlab.__main__", "run the stand-in GitLab alone"),
    "demo": ("local.demo", "run both and show what the hub does"),
}


def usage() -> str:
    """Tell which commands there are."""
    lines = [f"  {name:<8}{about}" for name, (_, about) in COMMANDS.items()]
    return "\n".join(["usage: python -m local COMMAND [--help] …", "", *lines])


def main(arguments: Sequence[str]) -> int:
    """Run one command; every command is a module with a `main` of its own, loaded only when asked for."""
    if not arguments or arguments[0] not in COMMANDS:
        is_help = bool(arguments) and arguments[0] in {"-h", "--help"}
        print(usage(), file=sys.stdout if is_help else sys.stderr)
        return 0 if is_help else 2
    command, *rest = arguments
    module = importlib.import_module(COMMANDS[command][0])
    try:
        return int(module.main(rest) or 0)
    except Problem as problem:
        print(f"{command}: {problem}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
