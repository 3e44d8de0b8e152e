"""`python -m local.cloud build | deploy`: what `make build` and `make deploy` do, and what they remember.

`sam deploy --parameter-overrides` replaces what samconfig.toml holds (aws-sam-cli issue 2380), and `--guided` asks for
every parameter, those of the local stack included. So this asks for the few that a first deployment needs, keeps all
others as they were saved, writes everything to samconfig.toml, and then runs plain `sam deploy`, which reads it there.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.problems import Problem
from local.saved_parameters import SavedDeployment, parameters_of
from local.tools import find

ROOT = Path(__file__).parents[1]
ASKED = (
    "AllowedHosts",
    "AllowedPrivateCidrs",
    "SubnetIds",
    "SecurityGroupIds",
    "PublicUrl",
    "AlarmTopicArn",
)
"""What a first deployment should think of. Everything else has a safe default, and is changed with `--set`."""

_STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
NOTHING = "none"
"""What to type for an empty value, as Enter alone keeps the value there is."""

INTRODUCTION = f"""\
A few questions first: where the hub is deployed, and what it may reach. Then it is built and deployed.
Enter keeps what stands in brackets, `{NOTHING}` empties it; docs/deploying.md explains each. The answers are saved in
samconfig.toml, which sam deploy reads; `make deploy SET='Name=value …'` sets any other parameter of the template.
"""
PLACE = {
    "stack_name": "Name of the CloudFormation stack that the hub is, in this account and region",
    "region": "AWS region to deploy to, such as eu-central-1",
}

LONGEST_STACK_NAME = 49
"""The names of schedules begin with it, and EventBridge Scheduler takes 64 characters."""

Ask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Target:
    """What the functions are built for."""

    runtime: str
    architecture: str

    @property
    def parameters(self) -> dict[str, str]:
        """The template's parameters that say so."""
        return {"PythonRuntime": self.runtime, "Architecture": self.architecture}


def target(given: Mapping[str, str], last_build: str, saved: Mapping[str, str], defaults: Mapping[str, str]) -> Target:
    """Decide what to build for: what is asked for now, else the last build, else the last deployment."""
    built = dict(zip(("PythonRuntime", "Architecture"), last_build.split(), strict=False))
    known = {**defaults, **saved, **built, **{name: value for name, value in given.items() if value}}
    return Target(known["PythonRuntime"], known["Architecture"])


def answers(descriptions: Mapping[str, str], values: Mapping[str, str], ask: Ask) -> dict[str, str]:
    """Ask for values; Enter keeps the one there is."""
    given: dict[str, str] = {}
    for name, description in descriptions.items():
        answer = ask(f"{name} — {description}\n  [{values[name] or NOTHING}] ").strip()
        given[name] = values[name] if not answer else "" if answer == NOTHING else answer
    return given


def main(arguments: Sequence[str], *, root: Path = ROOT, ask: Ask | None = None) -> int:
    """Build, or build and deploy."""
    options = _parser().parse_args(arguments)
    saved = SavedDeployment(root)
    parameters = parameters_of(root / "template.yaml")
    defaults = {name: str(parameter.get("Default", "")) for name, parameter in parameters.items()}
    wanted = {"PythonRuntime": options.runtime, "Architecture": options.architecture}
    mark = root / ".aws-sam" / "target"
    chosen = target(wanted, mark.read_text() if mark.exists() else "", saved.parameters, defaults)
    path = _search_path(chosen)
    if options.command == "deploy":
        # Before the build: SAM ends it with a page of advice, and whoever is asked would have to wait for it.
        _settle(saved, parameters, chosen, options.set, ask or _ask)
    print(f"Building for {chosen.runtime} on {chosen.architecture}.", flush=True)
    _build(root, chosen, path)
    mark.write_text(f"{chosen.runtime} {chosen.architecture}\n")
    return subprocess.call([find("sam"), "deploy"], cwd=root) if options.command == "deploy" else 0


def _settle(
    saved: SavedDeployment,
    parameters: Mapping[str, Mapping[str, str]],
    chosen: Target,
    settings: Sequence[str],
    ask: Ask,
) -> None:
    """Ask for what a deployment needs, and save it."""
    wanted = dict(one.partition("=")[::2] for one in settings)
    if unknown := sorted(wanted.keys() - parameters.keys()):
        raise Problem(f"the template has no parameter {', '.join(unknown)}: it has {', '.join(sorted(parameters))}")
    print(INTRODUCTION, flush=True)
    place = answers(PLACE, saved.place, ask)
    _check_place(place)
    defaults = {name: str(parameter.get("Default", "")) for name, parameter in parameters.items()}
    kept = {name: value for name, value in saved.parameters.items() if name in parameters}
    asked = [name for name in ASKED if name in parameters and name not in wanted]
    texts = {name: str(parameters[name].get("Description", "")) for name in asked}
    given = answers(texts, {**defaults, **kept}, ask)
    new = {name: value for name, value in given.items() if name in kept or value != defaults[name]}
    settled = {**kept, **new, **wanted, **chosen.parameters}
    _check_network(settled)
    saved.save(place, settled)


def _check_place(place: Mapping[str, str]) -> None:
    """Refuse what CloudFormation would, some minutes later and in other words."""
    if not all(place.values()):
        raise Problem("a stack needs a name and a region: give both")
    if len(place["stack_name"]) > LONGEST_STACK_NAME or not _STACK_NAME.fullmatch(place["stack_name"]):
        raise Problem(
            f"the name of a stack is at most {LONGEST_STACK_NAME} letters, digits and hyphens, a letter first: "
            "names of its schedules are made of it"
        )


def _check_network(parameters: Mapping[str, str]) -> None:
    if bool(parameters.get("SubnetIds")) != bool(parameters.get("SecurityGroupIds")):
        raise Problem(
            "SubnetIds and SecurityGroupIds go together: give both, or neither for functions outside of a VPC"
        )


def _search_path(chosen: Target) -> str:
    """Where SAM finds the runtime's interpreter. Raises Problem where it does not."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    # Run it: a name that pyenv put on PATH may stand for an interpreter that is not there.
    command = shutil.which(chosen.runtime, path=path)
    if command is None or subprocess.run([command, "--version"], capture_output=True, check=False).returncode:
        raise Problem(
            f"{chosen.runtime} does not run here: install it, or build for another with `make build RUNTIME=python3.11`"
        )
    return path


def _build(root: Path, chosen: Target, path: str) -> None:
    overrides = [f"{name}={value}" for name, value in chosen.parameters.items()]
    command = [find("sam"), "build", "--parallel", "--parameter-overrides", *overrides]
    if code := subprocess.call(command, cwd=root, env={**os.environ, "PATH": path}):
        raise Problem(f"`sam build` ended with {code}: its last lines say why")


def _ask(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        return ""  # nobody there to answer: everything stays as it is


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.cloud", description="Build the bundle, or deploy it to AWS.")
    parser.add_argument("command", choices=["build", "deploy"])
    parser.add_argument("--runtime", default="", help="the Lambda runtime to build for, python3.11 to python3.14")
    parser.add_argument("--architecture", default="", help="arm64 or x86_64")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="parameters of the template")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        print(problem, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        sys.exit(130)
