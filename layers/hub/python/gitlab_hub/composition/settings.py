"""What the environment says, read once and checked."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _listed(value: Any) -> Any:
    """Split a list of CloudFormation or a command line: commas, blanks, or both."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


Listed = BeforeValidator(_listed)


def _priced(value: Any) -> Any:
    """Split a list of `name=price`."""
    if not isinstance(value, str):
        return value
    return dict(part.split("=", 1) if "=" in part else (part, part) for part in _listed(value))


Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Settings(BaseModel):
    """The settings of one function.

    Every function has only the variables it needs, so a missing one counts when it is asked for (`require_env`).
    Secrets are never among them: only the names under which Secrets Manager has them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    integrations_table: str = ""
    access_table: str = ""
    pipelines_table: str = ""
    deliveries_table: str = ""
    sync_accounts_queue_url: str = ""
    sync_pipelines_queue_url: str = ""
    deliveries_queue_url: str = ""
    builds_queue_url: str = ""
    provisioner_function: str = ""
    exporter_function: str = ""
    access_function: str = ""
    builds_function: str = ""
    integrations_function: str = ""
    oauth_function: str = ""
    operations_function: str = ""
    pipelines_function: str = ""
    provisioning_function: str = ""
    builds_bus: str = ""
    exports_bucket: str = ""
    export_retention_days: Annotated[int, Field(ge=1)] = 30
    dead_letters_queue_urls: Annotated[tuple[str, ...], Listed] = ()
    secret_prefix: str = ""
    public_url: str = ""
    url_suffix: str = "amazonaws.com"
    access_interval_minutes: Annotated[int, Field(ge=1)] = 30
    credentials_interval_minutes: Annotated[int, Field(ge=1)] = 1440
    pipeline_alerts: bool = False
    read_deployments: bool = True
    pipelines_interval_minutes: Annotated[int, Field(ge=1)] = 5
    master_key_secret: str = ""
    owner_token_secret: str = ""
    console_gitlab_url: str = ""
    console_client_id: str = ""
    console_client_secret: str = ""
    console_roles: str = ""
    allowed_private_cidrs: Annotated[tuple[str, ...], Listed] = ()
    allowed_hosts: Annotated[tuple[str, ...], Listed] = ()
    allowed_ports: Annotated[tuple[Annotated[int, Field(ge=1, le=65535)], ...], Listed] = ()
    allow_insecure_http: bool = False
    allowed_return_urls: Annotated[tuple[str, ...], Listed] = ()
    build_target_hosts: Annotated[tuple[str, ...], Listed] = ()
    builds_bus_arn: str = ""
    build_bus_arns: Annotated[tuple[str, ...], Listed] = ()
    build_project_arns: Annotated[tuple[str, ...], Listed] = ()
    build_state_machine_arns: Annotated[tuple[str, ...], Listed] = ()
    build_execution_arns: Annotated[tuple[str, ...], Listed] = ()
    build_queue_arns: Annotated[tuple[str, ...], Listed] = ()
    runner_prices: Annotated[dict[str, Price], BeforeValidator(_priced)] = {}
    auto_rotate_tokens: bool = False
    hub_allow_loopback: bool = False
    aws_endpoint_url: str = ""
    ca_bundle: str = ""
    log_level: str = "INFO"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the variables of the same names in capitals; an empty one counts as not set."""
        given = {name: environ[name.upper()] for name in cls.model_fields if environ.get(name.upper())}
        return cls.model_validate(given)

    @property
    def allow_loopback(self) -> bool:
        """Say whether loopback may be called: only asked for, and only where AWS itself is a local emulator."""
        return self.hub_allow_loopback and self.aws_endpoint_url != ""
