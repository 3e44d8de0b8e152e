"""What samconfig.toml remembers of a deployment, read and written by SAM CLI's own code, so that it sees the same."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samcli.cli.types import CfnParameterOverridesType
from samcli.lib.config.samconfig import SamConfig
from samcli.yamlhelper import yaml_parse

_PLACE = ("stack_name", "region")


def parameters_of(template: Path) -> dict[str, dict[str, Any]]:
    """The parameters of a template, with their defaults and descriptions."""
    parsed: dict[str, dict[str, Any]] = yaml_parse(template.read_text())["Parameters"]
    return parsed


class SavedDeployment:
    """The default environment's part of samconfig.toml in a folder."""

    def __init__(self, folder: Path) -> None:
        self._config = SamConfig(str(folder), "samconfig.toml")

    @property
    def parameters(self) -> dict[str, str]:
        """The template's parameters as they were saved, in whichever of SAM's spellings."""
        spelled = self._section("deploy").get("parameter_overrides") or ""
        read: dict[str, str] = CfnParameterOverridesType().convert(spelled, None, None)
        return read

    @property
    def place(self) -> dict[str, str]:
        """Name and region of the stack; empty where nobody has said."""
        known = {**self._section("global"), **self._section("deploy")}
        return {name: str(known.get(name, "")) for name in _PLACE}

    def save(self, place: Mapping[str, str], parameters: Mapping[str, str]) -> None:
        """Write a deployment down."""
        for name, value in place.items():
            self._config.put(["deploy"], "parameters", name, value)
        spelled = " ".join(f'{name}="{_escaped(value)}"' for name, value in sorted(parameters.items()))
        self._config.put(["deploy"], "parameters", "parameter_overrides", spelled)
        self._config.flush()

    def _section(self, command: str) -> dict[str, Any]:
        try:
            section: dict[str, Any] = dict(self._config.get_all([command], "parameters"))
        except KeyError:
            return {}
        return section


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
