"""The decisions of the local commands, one by one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.build import Target, fingerprint, this_machine
from local.deploy import parameters
from local.gateway import WantedRoute, wanted_routes
from local.options import Options, split_token
from local.problems import Problem
from local.state_folder import Home
from local.tools import environment, run
from local.warm_up import CALLS, FIRST, MESSAGES
from tests.unit.template.transformed import source, transformed


def test_routes_of_the_processed_template_keep_their_function_and_guard() -> None:
    routes = wanted_routes(transformed())
    assert WantedRoute("GET /healthz", "OperationsFunction", authorized=False) in routes
    assert WantedRoute("$default", "OperationsFunction", authorized=False) in routes
    assert WantedRoute("GET /v1/integrations/{integration_id}/accounts", "AccessFunction", authorized=True) in routes
    assert len(routes) == len({route.key for route in routes})


def test_the_local_parameters_are_ones_of_the_template() -> None:
    values = parameters(Options(allow_loopback=True), this_machine(), "http://127.0.0.1:4566")
    assert values.keys() <= source()["Parameters"].keys()


def test_by_default_nothing_but_public_https_may_be_reached() -> None:
    values = parameters(Options(), this_machine(), "http://127.0.0.1:4566")
    assert (values["AllowLoopback"], values["AllowInsecureHttp"]) == ("false", "false")
    assert (values["AllowedPrivateCidrs"], values["AllowedPorts"]) == ("", "")


def test_a_build_is_done_again_only_when_a_source_or_the_target_changed(tmp_path: Path) -> None:
    (tmp_path / "functions").mkdir()
    (tmp_path / "template.yaml").write_text("a")
    target = Target("python3.11", "x86_64")
    before = fingerprint(tmp_path, target)
    (tmp_path / "functions" / "__pycache__").mkdir()
    (tmp_path / "functions" / "__pycache__" / "app.pyc").write_text("x")
    assert fingerprint(tmp_path, target) == before
    assert fingerprint(tmp_path, Target("python3.11", "arm64")) != before
    (tmp_path / "functions" / "app.py").write_text("x")
    assert fingerprint(tmp_path, target) != before


def test_tools_see_nothing_of_the_persons_own_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    env = environment()
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "PYTHONPATH"} & env.keys()
    assert env["AWS_ACCESS_KEY_ID"] == "local"


def test_a_tool_that_fails_is_told_in_one_line_with_its_log(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", "print('Error: no such thing'); print('bye'); raise SystemExit(3)"]
    with pytest.raises(Problem, match=r"failed: Error: no such thing \(see .*out\.log\)"):
        run(arguments, env=environment(), log=tmp_path / "out.log")


def test_a_state_folder_serves_one_stack_at_a_time(tmp_path: Path) -> None:
    with Home(tmp_path), pytest.raises(Problem, match="another local stack"), Home(tmp_path):
        pass


def test_a_deployment_counts_only_after_a_good_stop(tmp_path: Path) -> None:
    with Home(tmp_path) as home:
        home.deployed_at_stop = "abc"
        assert home.deployed is None
        home.remember(emulator_port=1)
    with Home(tmp_path) as again:
        assert again.deployed == "abc"


def test_a_start_that_failed_keeps_its_addresses_and_is_deployed_again(tmp_path: Path) -> None:
    with Home(tmp_path) as home:
        port = home.emulator_port()
        home.remember(emulator_port=port)
    with Home(tmp_path) as again:
        assert (again.emulator_port(), again.deployed) == (port, None)


def test_a_damaged_note_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text("{")
    with Home(tmp_path) as home:
        assert home.deployed is None


def test_a_secret_may_have_underscores_and_an_id_may_not() -> None:
    assert split_token("ghub_owner_a_b_c") == ("owner", "a_b_c")


@pytest.mark.parametrize("token", ["", "ghub_", "ghub_owner", "ghub_owner_", "ghub__x", "glpat_owner_x", "ghub_o_x y"])
def test_other_shapes_are_no_owner_tokens(token: str) -> None:
    with pytest.raises(Problem):
        split_token(token)


def test_the_command_tells_what_it_can_do() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert [line.split()[0] for line in done.stdout.splitlines()[2:]] == ["up", "gitlab", "demo"]


def test_every_function_but_the_caretaker_is_loaded_before_anybody_calls() -> None:
    routes = wanted_routes(transformed())
    called = {serving(routes, method, path) for method, path in (FIRST, *CALLS)}
    functions = {name for name, one in source()["Resources"].items() if one["Type"] == "AWS::Serverless::Function"}
    # The authorizer stands before the first call; the caretaker serves nobody who waits.
    assert called | MESSAGES.keys() | {"AuthorizerFunction", "CaretakerFunction"} == functions


def serving(routes: list[WantedRoute], method: str, path: str) -> str:
    # The last part of a route may stand for several (docs.aws.amazon.com/apigateway, "Greedy path variables").
    patterns = {re.sub(r"\{\w+\}", "[^/]+", route.key.replace("{page+}", ".+")): route.function for route in routes}
    (function,) = {patterns[one] for one in patterns if re.fullmatch(one, f"{method} {path}")}
    return function
