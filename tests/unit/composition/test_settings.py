from typing import get_args

import pytest
from pydantic import ValidationError

from gitlab_hub.composition.core import Core, MissingSettingError, Required
from gitlab_hub.composition.settings import Settings


def test_an_empty_environment_is_no_error_until_something_is_needed() -> None:
    assert Settings.from_env({}).integrations_table == ""
    with pytest.raises(MissingSettingError, match="INTEGRATIONS_TABLE"):
        Core({}).require_env("integrations_table")
    assert Settings.from_env({"INTEGRATIONS_TABLE": "t", "PATH": "/"}).integrations_table == "t"


def test_plain_settings_are_read_alike_without_the_models() -> None:
    environ = {"INTEGRATIONS_TABLE": "t", "DELIVERIES_TABLE": ""}
    settings = Settings.from_env(environ)
    assert Core(environ).require_env("integrations_table") == settings.integrations_table
    assert Core(environ).env("builds_bus") == settings.builds_bus == ""
    with pytest.raises(MissingSettingError, match="DELIVERIES_TABLE"):
        Core(environ).require_env("deliveries_table")


def test_what_is_read_plainly_is_a_text_of_the_settings() -> None:
    assert {Settings.model_fields[name].annotation for name in get_args(Required)} == {str}


@pytest.mark.parametrize(
    "text", ["10.0.0.0/8,192.168.0.0/16", "10.0.0.0/8 192.168.0.0/16", "10.0.0.0/8, 192.168.0.0/16"]
)
def test_lists_are_split(text: str) -> None:
    assert Settings.from_env({"ALLOWED_PRIVATE_CIDRS": text}).allowed_private_cidrs == ("10.0.0.0/8", "192.168.0.0/16")


def test_ports_are_numbers() -> None:
    assert Settings.from_env({"ALLOWED_PORTS": "443,8443"}).allowed_ports == (443, 8443)
    with pytest.raises(ValidationError):
        Settings.from_env({"ALLOWED_PORTS": "70000"})


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HUB_ALLOW_LOOPBACK": "true"}, False),
        ({"HUB_ALLOW_LOOPBACK": "true", "AWS_ENDPOINT_URL": ""}, False),
        ({"HUB_ALLOW_LOOPBACK": "true", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, True),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, False),
    ],
)
def test_loopback_is_for_the_local_stack_alone(environ: dict[str, str], expected: bool) -> None:
    assert Settings.from_env(environ).allow_loopback is expected


def test_a_wrong_value_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.from_env({"ALLOWED_PORTS": "glpat-canary"})
    assert "canary" not in str(caught.value)
