"""The functions: folders, settings, logs, traces, events, layers."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gitlab_hub.composition.settings import Settings
from gitlab_hub.console.people import rules_of
from local.cloud import LONGEST_STACK_NAME
from tests.unit.template.transformed import ROOT, Resource, functions, resources, source, statements, transformed

FOLDERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
DEPLOYED = resources("AWS::Lambda::Function")


def test_every_function_folder_is_in_the_template() -> None:
    assert sorted(Path(function["CodeUri"]).name for function in functions().values()) == FOLDERS


@pytest.mark.parametrize("folder", FOLDERS)
def test_handlers_are_thin(folder: str) -> None:
    assert len((ROOT / "functions" / folder / "app.py").read_text().splitlines()) <= 40


def test_handlers_import_with_an_empty_environment() -> None:
    # In a process of their own: this one has an environment, and modules that others imported.
    code = "import runpy, sys; [runpy.run_path(path)['handler'] for path in sys.argv[1:]]"
    paths = [str(ROOT / "functions" / folder / "app.py") for folder in FOLDERS]
    hub = str(ROOT / "layers" / "hub" / "python")
    env = {"PYTHONPATH": hub, "PATH": os.defpath}
    done = subprocess.run(  # noqa: S603 - this interpreter, our files
        [sys.executable, "-c", code, *paths], env=env, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_function_has_whole_events_to_try_it_with(folder: str) -> None:
    events = list((ROOT / "events" / folder).glob("*.json"))
    assert events
    for path in events:
        assert isinstance(json.loads(path.read_text()), dict), path


@pytest.mark.parametrize("name", DEPLOYED)
def test_functions_are_traced_on_demand_and_log_into_a_group_with_an_end(name: str) -> None:
    function = DEPLOYED[name]
    assert function["TracingConfig"] == {"Mode": {"Fn::If": ["HasTracing", "Active", "PassThrough"]}}
    assert source()["Parameters"]["Tracing"]["Default"] == "false"
    group = resources("AWS::Logs::LogGroup")[function["LoggingConfig"]["LogGroup"]["Ref"]]
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("name", DEPLOYED)
def test_functions_end_before_the_api_gives_up_on_them(name: str) -> None:
    longest = {"WebhooksFunction": 8, "CaretakerFunction": 300, "DeliveriesFunction": 60, "BuilderFunction": 60}
    longest["ExporterFunction"] = 900
    is_worker = name.startswith("Sync") or name == "ProvisionerFunction"
    assert DEPLOYED[name]["Timeout"] <= longest.get(name, 300 if is_worker else 29)


@pytest.mark.parametrize("name", DEPLOYED)
def test_settings_name_secrets_and_hold_none(name: str) -> None:
    for variable, value in DEPLOYED[name]["Environment"]["Variables"].items():
        is_secret = any(word in variable for word in ("SECRET", "TOKEN", "KEY", "PASSWORD"))
        assert not (is_secret and isinstance(value, str)), variable
        if is_secret:
            named = value["Fn::If"][1:] if "Fn::If" in value else [value]
            assert all(set(one) <= {"Ref", "Fn::Sub"} for one in named), variable


@pytest.mark.parametrize("name", DEPLOYED)
def test_sam_local_can_point_every_function_at_an_emulator(name: str) -> None:
    # It overrides only what the template declares.
    assert DEPLOYED[name]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] == {"Ref": "AwsEndpointUrl"}


def test_loopback_is_refused_where_no_emulator_is() -> None:
    rule = source()["Rules"]["LoopbackIsForTheLocalStack"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "AllowLoopback"}, "true"]}
    (assertion,) = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AwsEndpointUrl"}, ""]}]}
    assert source()["Parameters"]["AllowLoopback"]["Default"] == "false"
    assert source()["Parameters"]["AwsEndpointUrl"]["Default"] == ""


def test_whoever_names_a_gitlab_to_sign_in_with_names_an_application_and_who_may_come_in() -> None:
    rule = source()["Rules"]["SigningInWithGitLabIsWhole"]
    wanted = {json.dumps(one["Assert"]) for one in rule["Assertions"]}
    assert wanted == {
        json.dumps({"Fn::Not": [{"Fn::Equals": [{"Ref": name}, ""]}]}) for name in ("ConsoleClientId", "ConsoleRoles")
    }
    assert source()["Parameters"]["ConsoleGitLabUrl"]["Default"] == ""
    secret = transformed()["Resources"]["ConsoleClientSecret"]
    assert secret["Condition"] == transformed()["Outputs"]["ConsoleClientSecretName"]["Condition"] == "HasConsoleGitLab"


def test_rules_that_the_template_takes_are_rules_that_the_console_reads() -> None:
    pattern = source()["Parameters"]["ConsoleRoles"]["AllowedPattern"]
    for text in (value for name, value, fits in HOSTS_AND_RANGES if name == "ConsoleRoles" and fits):
        assert (re.fullmatch(pattern, text) is not None, len(rules_of(text))) == (True, text.count("="))


def test_event_sources_are_bounded_each_by_itself_and_report_single_failures() -> None:
    mappings = resources("AWS::Lambda::EventSourceMapping")
    limits = [mapping["ScalingConfig"]["MaximumConcurrency"]["Ref"] for mapping in mappings.values()]
    assert len(set(limits)) == len(mappings) == 4
    for name, mapping in mappings.items():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
    # A fresh account has ten concurrent executions (Lambda quotas), and some are for those who call.
    assert sum(source()["Parameters"][limit]["Default"] for limit in limits) <= 8


def test_a_reserve_for_webhooks_is_the_deployers_choice() -> None:
    reserved = {name for name, one in DEPLOYED.items() if "ReservedConcurrentExecutions" in one}
    assert reserved == {"WebhooksFunction"}
    choice = DEPLOYED["WebhooksFunction"]["ReservedConcurrentExecutions"]["Fn::If"]
    assert choice == ["HasWebhooksReserve", {"Ref": "WebhooksReservedConcurrency"}, {"Ref": "AWS::NoValue"}]
    # Lambda refuses a reserve that leaves fewer than 100 to others, so a fresh account could not deploy with one.
    assert source()["Parameters"]["WebhooksReservedConcurrency"]["Default"] == 0


def test_only_functions_that_call_gitlab_or_targets_are_in_the_vpc() -> None:
    # A function in a VPC reaches AWS through NAT or endpoints only (Lambda, "Giving functions access to a VPC").
    calling = {name for name, one in DEPLOYED.items() if "ALLOWED_HOSTS" in one["Environment"]["Variables"]}
    placed = {name: one["VpcConfig"] for name, one in DEPLOYED.items() if "VpcConfig" in one}
    assert placed.keys() == calling
    # The console calls one only where people sign in with it.
    assert {name: config["Fn::If"][0] for name, config in placed.items() if config["Fn::If"][0] != "HasVpc"} == {
        "ConsoleFunction": "ConsoleIsInVpc"
    }
    both = [source()["Conditions"][name] for name in ("HasConsoleGitLab", "HasVpc")]
    assert source()["Conditions"]["ConsoleIsInVpc"] == {"Fn::And": both}
    roles = {name for name, role in resources("AWS::IAM::Role").items() if "ManagedPolicyArns" in role}
    assert roles == {functions()[name]["Role"]["Fn::GetAtt"][0] for name in calling}


def test_schedules_carry_the_stacks_name_and_can_be_switched_off() -> None:
    schedules = resources("AWS::Scheduler::Schedule")
    assert len(schedules) == 5
    for name, schedule in schedules.items():
        assert schedule["Name"]["Fn::Sub"].startswith("${AWS::StackName}-"), name
        assert schedule["State"] == {"Ref": "SchedulesState"}, name
        # EventBridge Scheduler takes names of 64 characters (CreateSchedule, CreateScheduleGroup).
        assert len(schedule["Name"]["Fn::Sub"].replace("${AWS::StackName}", "x" * LONGEST_STACK_NAME)) <= 64, name


HOSTS_AND_RANGES = [
    ("AllowedHosts", "", True),
    ("AllowedHosts", "gitlab.example.com", True),
    ("AllowedHosts", "a.example, b.example,10.20.0.5 fd00::5", True),
    ("AllowedHosts", "a.example, b.example, ", True),
    ("AllowedHosts", " a.example", True),
    ("AllowedHosts", "https://gitlab.example.com", False),
    ("AllowedHosts", "gitlab.example.com/gitlab", False),
    ("AllowedHosts", "gitlab.example.com:8443", False),
    ("AllowedPrivateCidrs", "", True),
    ("AllowedPrivateCidrs", "10.20.0.0/16", True),
    ("AllowedPrivateCidrs", "10.20.0.0/16, fd00::/8 10.30.0.5", True),
    ("AllowedPrivateCidrs", "10.20.0.0/16,", True),
    ("AllowedPrivateCidrs", "10.20.0.0/160", False),
    ("AllowedPrivateCidrs", "10.0.0.0/255.0.0.0", False),
    ("AllowedPrivateCidrs", "gitlab.example.com", False),
    ("AllowedPrivateCidrs", "10.20.0.0/16;10.30.0.0/16", False),
    ("ConsoleGitLabUrl", "", True),
    ("ConsoleGitLabUrl", "https://gitlab.example.com", True),
    ("ConsoleGitLabUrl", "https://example.com/gitlab", True),
    ("ConsoleGitLabUrl", "https://gitlab.example.com/", False),
    ("ConsoleGitLabUrl", "gitlab.example.com", False),
    ("ConsoleGitLabUrl", "https://gitlab.example.com?x=1", False),
    ("ConsoleGitLabUrl", "https://me@gitlab.example.com", False),
    ("ConsoleRoles", "", True),
    ("ConsoleRoles", "acme/platform=owner", True),
    ("ConsoleRoles", "acme/platform=owner,acme/shop=developer@int_1+int_2,acme.x=viewer", True),
    ("ConsoleRoles", "acme/platform=owner,", False),
    ("ConsoleRoles", "acme/platform=root", False),
    ("ConsoleRoles", "acme/platform=owner@shop", False),
    ("ConsoleRoles", "*=owner", False),
    ("ConsoleRoles", "acme", False),
]


@pytest.mark.parametrize(("name", "value", "fits"), HOSTS_AND_RANGES)
def test_a_list_that_would_fit_nothing_or_stop_every_function_is_no_parameter(
    name: str, value: str, fits: bool
) -> None:
    parameter = source()["Parameters"][name]
    assert (re.fullmatch(parameter["AllowedPattern"], value) is not None) is fits
    assert parameter["ConstraintDescription"]


def test_there_is_a_layer_build_for_every_runtime_and_architecture() -> None:
    parameters = source()["Parameters"]
    wanted = {
        f"{runtime}-{architecture}"
        for runtime in parameters["PythonRuntime"]["AllowedValues"]
        for architecture in parameters["Architecture"]["AllowedValues"]
    }
    assert {path.parent.name for path in (ROOT / "layers" / "targets").glob("*/Makefile")} == wanted


def test_what_one_function_needs_is_carried_by_that_one_alone() -> None:
    layers = {name: function["Layers"] for name, function in DEPLOYED.items()}
    assert {name: len(found) for name, found in layers.items() if len(found) != 2} == {
        "ConsoleFunction": 3,
        "ExporterFunction": 3,
    }
    needed = (ROOT / "layers" / "dependencies" / "requirements.txt").read_text()
    assert "jinja2" not in needed
    assert "duckdb" not in needed


@pytest.mark.parametrize("layer", ["dependencies", "console", "exporter"])
def test_the_layers_of_third_parties_are_locked_hashed_and_without_boto3(layer: str) -> None:
    lines = (ROOT / "layers" / layer / "requirements.txt").read_text().splitlines()
    pinned = [line for line in lines if "==" in line]
    assert pinned
    assert all(line.rstrip().endswith("\\") for line in pinned)  # a hash follows
    assert not [line for line in pinned if line.startswith(("boto", "s3transfer"))]


def test_the_api_refuses_targets_by_the_very_parameters_that_give_the_builder_its_rights() -> None:
    variables = DEPLOYED["BuildsFunction"]["Environment"]["Variables"]
    told = {json.dumps(value) for value in variables.values()}
    rights = {statement["Resource"]["Ref"] for role, statement in statements() if _is_of_targets(role, statement)}
    assert rights == {
        "BuildBusArns", "BuildProjectArns", "BuildStateMachineArns", "BuildExecutionArns", "BuildQueueArns",
    }  # fmt: skip
    for parameter in rights:
        assert json.dumps({"Fn::Join": [",", {"Ref": parameter}]}) in told, parameter
    assert variables["BUILDS_BUS_ARN"] == {"Fn::GetAtt": ["BuildsBus", "Arn"]}
    settings = {name.upper() for name in Settings.model_fields}
    assert {name for name in variables if name.startswith("BUILD")} <= settings


def _is_of_targets(role: str, statement: Resource) -> bool:
    resource = statement["Resource"]
    return role == "BuilderRole" and isinstance(resource, dict) and resource.get("Ref", "").startswith("Build")
