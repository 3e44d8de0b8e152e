"""What the container hands on: bounds, certificates and rules are of no use where nobody gets them."""

from typing import Any

import pytest

from gitlab_hub.builds.targets.https import TargetHostNotAllowed, vetted
from gitlab_hub.composition.container import Container
from gitlab_hub.composition.quick_container import QuickContainer
from gitlab_hub.gitlab.client import ClientOptions
from gitlab_hub.gitlab.errors import HostNotAllowed
from gitlab_hub.gitlab.limits import Unlimited
from gitlab_hub.integrations.connector import FixedToken
from gitlab_hub.integrations.verification.verifier import DEADLINE_SECONDS
from gitlab_hub.storage.aws import QUICK, Backoff
from gitlab_hub.sync.ports import SyncTarget
from gitlab_hub.web.entry import set_context, time_left
from tests.fakes.events import Context
from tests.unit.composition.test_entries import ENVIRONMENT

GITLAB = "https://gitlab.example.com"
TARGET_URL = "https://builds.example.net/start"
CA_BUNDLE = "/opt/authorities.pem"
TARGET = SyncTarget(integration_id="i1", credential_id="c1", base_url=GITLAB, user_id=7, is_admin=False)


def container(**environ: str) -> Container:
    """The container of a deployed function; nothing is sent by looking at what it makes."""
    return Container({**ENVIRONMENT, **environ})


def options_of(client: Any) -> ClientOptions:
    """The bounds of a client of GitLab, as its connections have them."""
    options = client._wire._transport._options
    assert options is client._options
    assert isinstance(options, ClientOptions)
    return options


def clients(made: Container) -> dict[str, ClientOptions]:
    """The bounds of each way to open a client."""
    address, token = made.policy.vetted(GITLAB), FixedToken("t")
    return {
        "verify": options_of(made.connector().open(address, token)),
        "renew": options_of(made.connector(patient=True).open(address, token)),
        "act": options_of(made.client(address, token, Unlimited())),
        "sync": options_of(made.connect(TARGET).gitlab),
    }


def test_each_way_to_open_a_client_has_its_deadline() -> None:
    deadlines = {name: options.deadline for name, options in clients(container()).items()}
    # Somebody waits for the first and the third; a token is used up by the second; a sync has the time of its function.
    assert deadlines == {"verify": 8.0, "renew": 15.0, "act": 8.0, "sync": 20.0}


@pytest.mark.parametrize(("given", "used"), [(CA_BUNDLE, CA_BUNDLE), ("", None)])
def test_the_authorities_of_the_deployer_are_trusted_by_every_client(given: str, used: str | None) -> None:
    made = container(CA_BUNDLE=given, BUILD_TARGET_HOSTS="builds.example.net")
    assert {options.ca_bundle for options in clients(made).values()} == {used}
    start: Any = made.builder()._doing["start"]
    target = start.__self__._targets["https"]
    address, _ = vetted(TARGET_URL, made.target_policy)
    assert target._transports(address)._options.ca_bundle == used


@pytest.mark.parametrize(
    ("hosts", "url", "allowed"),
    [
        ("", TARGET_URL, False),
        ("builds.example.net", TARGET_URL, True),
        ("builds.example.net", "https://builds.example.org/start", False),
        ("builds.example.net", f"{GITLAB}/start", False),
        ("builds.example.net", "https://builds.example.net:8443/start", False),
    ],
)
def test_builds_are_sent_to_the_hosts_that_are_listed_for_them_and_nowhere_else(
    hosts: str, url: str, allowed: bool
) -> None:
    """What is allowed of GitLabs, their hosts and ports, is not what is allowed of targets."""
    made = container(BUILD_TARGET_HOSTS=hosts, ALLOWED_HOSTS="gitlab.example.com", ALLOWED_PORTS="8443")
    if allowed:
        made.target_check()({"type": "https", "url": url})
        vetted(url, made.target_policy)
        return
    with pytest.raises(TargetHostNotAllowed):
        made.target_check()({"type": "https", "url": url})
    with pytest.raises(HostNotAllowed):
        vetted(url, made.target_policy)


@pytest.mark.parametrize(("wanted", "deadline"), [(None, DEADLINE_SECONDS), (15.0, 15.0)])
def test_a_verification_ends_when_it_is_wanted_and_with_its_function(wanted: float | None, deadline: float) -> None:
    verifier = container().integrations(verify_within=wanted)._verifier
    assert verifier._deadline == deadline
    set_context(Context(left_ms=4_500))
    try:
        assert verifier._left() == 4.5
    finally:
        set_context(None)


def test_renewing_a_token_knows_how_long_its_function_may_run() -> None:
    made = container()
    assert made.token_runtime.remaining is time_left
    set_context(Context(left_ms=4_500))
    try:
        assert made.tokens.refresher._remaining() == 4.5
    finally:
        set_context(None)


def test_what_takes_webhooks_in_would_rather_fail_than_keep_gitlab_waiting() -> None:
    made = QuickContainer(ENVIRONMENT)
    table: Any = made.table("deliveries_table")
    queue: Any = made.ordered_queue("deliveries_queue_url")
    secrets: Any = made.secrets()
    assert table._backoff.tries == 2 < Backoff().tries
    assert [one._client._config for one in (table, queue, secrets)] == [QUICK] * 3
    usual: Any = container().table("deliveries_table")
    assert (usual._backoff.tries, usual._client._config is QUICK) == (Backoff().tries, False)
