"""What `make build` and `make deploy` decide and remember, without AWS and without building."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from local.cloud import ASKED, LONGEST_STACK_NAME, NOTHING, PLACE, ROOT, Target, answers, main, target
from local.problems import Problem
from local.saved_parameters import SavedDeployment, parameters_of

DEFAULTS = {"PythonRuntime": "python3.13", "Architecture": "arm64"}
OF_THE_LOCAL_STACK = {"AwsEndpointUrl", "AllowLoopback"}


@pytest.mark.parametrize(
    ("given", "last_build", "saved", "chosen"),
    [
        ({}, "", {}, Target("python3.13", "arm64")),
        ({}, "", {"PythonRuntime": "python3.12"}, Target("python3.12", "arm64")),
        # A deployment takes what was built last, not what would be built by default.
        ({}, "python3.11 x86_64\n", {"PythonRuntime": "python3.12"}, Target("python3.11", "x86_64")),
        ({"PythonRuntime": "python3.14"}, "python3.11 x86_64", {}, Target("python3.14", "x86_64")),
        ({"PythonRuntime": "", "Architecture": ""}, "", {"Architecture": "x86_64"}, Target("python3.13", "x86_64")),
    ],
)
def test_what_is_built_for(given: dict[str, str], last_build: str, saved: dict[str, str], chosen: Target) -> None:
    assert target(given, last_build, saved, DEFAULTS) == chosen


def test_enter_keeps_a_value_and_a_word_empties_it() -> None:
    typed = iter(["", "git.acme.example", NOTHING])
    values = {"A": "kept", "B": "old", "C": "10.0.0.0/8"}
    assert answers({"A": "", "B": "", "C": ""}, values, lambda _: next(typed)) == {
        "A": "kept",
        "B": "git.acme.example",
        "C": "",
    }


def test_a_question_shows_what_enter_keeps() -> None:
    shown: list[str] = []

    def ask(text: str) -> str:
        shown.append(text)
        return ""

    answers({"A": "the first", "B": "the second"}, {"A": "x", "B": ""}, ask)
    assert "the first" in shown[0]
    assert "[x]" in shown[0]
    assert f"[{NOTHING}]" in shown[1]


class Asked(Exception):
    """The first question was asked."""


def test_the_questions_come_first_and_are_introduced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("template.yaml", "samconfig.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text())

    def ask(text: str) -> str:
        raise Asked(text)

    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    with pytest.raises(Asked, match=PLACE["stack_name"]):
        main(["deploy", "--runtime", runtime], root=tmp_path, ask=ask)
    shown = capsys.readouterr().out
    assert shown.startswith("A few questions first")
    assert all(word in shown for word in ("Enter", NOTHING, "samconfig.toml", "docs/deploying.md"))
    assert "Building" not in shown


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"stack_name": "x" * (LONGEST_STACK_NAME + 1)}, f"at most {LONGEST_STACK_NAME}"),
        ({"stack_name": "my_hub"}, "letters, digits and hyphens"),
        ({"SubnetIds": "subnet-1"}, "SecurityGroupIds"),
        ({"SecurityGroupIds": "sg-1"}, "SubnetIds"),
    ],
)
def test_what_could_not_be_deployed_is_said_before_it_is_built(
    tmp_path: Path, typed: dict[str, str], said: str
) -> None:
    for name in ("template.yaml", "samconfig.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    answered = {"region": "eu-west-1"} | typed
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    with pytest.raises(Problem, match=said):
        main(
            ["deploy", "--runtime", runtime],
            root=tmp_path,
            ask=lambda text: next((value for name, value in answered.items() if text.startswith(f"{name} ")), ""),
        )
    assert (tmp_path / "samconfig.toml").read_text() == (ROOT / "samconfig.toml").read_text()


def test_few_questions_are_asked_and_none_of_the_local_stack() -> None:
    parameters = parameters_of(ROOT / "template.yaml")
    assert set(ASKED) <= parameters.keys()
    assert len(ASKED) <= 8
    assert not set(ASKED) & OF_THE_LOCAL_STACK
    assert parameters.keys() >= OF_THE_LOCAL_STACK


def test_what_is_saved_is_read_again_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "samconfig.toml"
    file.write_text((ROOT / "samconfig.toml").read_text() + "\n# a comment of somebody's\n")
    values = {"CaretakerSchedule": "rate(10 minutes)", "AllowedHosts": "", "SubnetIds": "subnet-1,subnet-2"}
    SavedDeployment(tmp_path).save({"stack_name": "hub", "region": "eu-west-1"}, values)
    again = SavedDeployment(tmp_path)
    assert again.parameters == values
    assert again.place == {"stack_name": "hub", "region": "eu-west-1"}
    assert "# a comment of somebody's" in file.read_text()
    assert "confirm_changeset = true" in file.read_text()


@pytest.mark.parametrize(
    "spelled",
    ['parameter_overrides = "A=\\"x y\\" B=z"', 'parameter_overrides = ["A=\\"x y\\"", "B=z"]'],
)
def test_saved_parameters_are_read_in_all_of_sams_spellings(tmp_path: Path, spelled: str) -> None:
    (tmp_path / "samconfig.toml").write_text(f"version = 0.1\n[default.deploy.parameters]\n{spelled}\n")
    assert SavedDeployment(tmp_path).parameters == {"A": "x y", "B": "z"}


def test_the_makefile_leaves_what_was_saved_alone() -> None:
    # On the command line --parameter-overrides replaces samconfig.toml's (aws-sam-cli issue 2380).
    makefile = (ROOT / "Makefile").read_text()
    recipe = makefile[makefile.index("\ndeploy:") :].split("\n\n")[0]
    assert "local.cloud deploy" in recipe
    assert "--parameter-overrides" not in makefile


def test_a_command_that_does_not_run_is_no_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = tmp_path / "bin" / "python3.99"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(shim.parent), prepend=os.pathsep)
    shutil.copy(ROOT / "template.yaml", tmp_path)
    with pytest.raises(Problem, match=r"python3\.99 does not run here"):
        main(["build", "--runtime", "python3.99"], root=tmp_path)
