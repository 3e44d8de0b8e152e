"""Several requests at the same moment: one start wins, no change is lost, and what is stored fits together."""

from typing import Any

from gitlab_hub.errors import NotFound
from gitlab_hub.integrations.credentials import CredentialFields, Credentials
from gitlab_hub.integrations.removal import DeleteOptions, DeleteResult, Removal
from gitlab_hub.integrations.store import IntegrationStore
from gitlab_hub.integrations.token_service import TokenHealth, TokenService
from gitlab_hub.storage.ports import Item, Rows
from tests.fakes.faults import Plan, faulty
from tests.fakes.gitlab import CANARY
from tests.fakes.table import MemoryTable
from tests.fakes.threads import together
from tests.functional.integrations.integrations_hub import START, IntegrationsHub


def rival(hub: IntegrationsHub) -> IntegrationsHub:
    """Another function instance over the same state."""
    other = IntegrationsHub()
    other.gitlab, other.stored_rows, other.stored_secrets = hub.gitlab, hub.stored_rows, hub.stored_secrets
    other.use(hub.stored_rows, hub.stored_secrets)
    return other


def calls(hubs: list[IntegrationsHub], *requests: Any) -> list[Any]:
    return together(len(hubs), lambda number: hubs[number](*requests[number % len(requests)]))


def test_one_of_two_equal_starts_wins() -> None:
    for _ in range(10):
        hub = IntegrationsHub()
        answers = calls([hub, rival(hub)], ("POST", "/v1/integrations/gitlab/start", START))
        assert sorted(status for status, _ in answers) == [201, 409]
        assert len(hub.stored_secrets.dump()) == len(list(hub.feature.store.after(None))) == 1


def test_a_second_start_does_not_even_write_a_secret() -> None:
    hub, plan = IntegrationsHub(), Plan()
    hub.start()
    hub.use(hub.stored_rows, faulty(hub.stored_secrets, plan))
    assert hub("POST", "/v1/integrations/gitlab/start", START)[0] == 409
    assert plan.calls == []


def test_what_is_read_together_belongs_together() -> None:
    """The token is replaced between reading the integration and reading its credentials."""
    hub = IntegrationsHub()
    one = hub.start()
    hub.gitlab.users["glpat-a"] = 7

    class Interrupted(MemoryTable):
        left = 1

        def query(self, *args: Any, **more: Any) -> Rows:
            if self.left and more.get("prefix"):
                self.left -= 1
                rival(hub)("PUT", f"/v1/integrations/{one}/gitlab-token", {"access_token": "glpat-a"})
            return hub.stored_rows.query(*args, **more)

        def get(self, pk: str, sk: str) -> Item | None:
            return hub.stored_rows.get(pk, sk)

    holding = IntegrationStore(Interrupted(), hub.stored_secrets).holding(one)
    assert holding.integration.secret_version == holding.credentials[0].token_version


def test_no_credential_is_lost_between_two_writers() -> None:
    for _ in range(10):
        hub = IntegrationsHub()
        one = hub.start()
        hub.gitlab.users |= {"glpat-a": 7, "glpat-b": 7}
        # Not through the router, which keeps its current event for the whole process: a Lambda has one at a time.
        services = [each.feature.credentials for each in (hub, rival(hub))]

        def create(number: int, one: str = one, services: list[Credentials] = services) -> str:
            token = ("glpat-a", "glpat-b")[number]
            return services[number].create(one, CredentialFields(), token, actor="t-owner", seed=f"seed of {token}").id

        made = together(2, create)
        assert len(set(made)) == 2
        integration = hub.feature.store.require(one)
        credentials = hub.feature.store.holding(one).credentials
        tokens = {hub.feature.store.token(integration, credential.id) for credential in credentials}
        assert tokens == {CANARY, "glpat-a", "glpat-b"}


def test_a_removal_wins_against_a_replacement() -> None:
    for _ in range(10):
        hub = IntegrationsHub()
        one = hub.start()
        hub.gitlab.users["glpat-a"] = 7
        removal, token_service = hub.feature.removal, rival(hub).feature.token_service

        def step(
            number: int, one: str = one, removal: Removal = removal, token_service: TokenService = token_service
        ) -> object:
            if number:
                return token_service.replace_token(one, "glpat-a", actor="t-owner", seed="s")
            return removal.remove(one, DeleteOptions(), actor="t-owner")

        removed, replaced = together(2, step)
        assert isinstance(removed, DeleteResult)
        assert isinstance(replaced, TokenHealth | NotFound)
        assert [row["lifecycle"] for row in hub.rows()] == ["deleting"]
        assert hub.stored_secrets.dump() == {}
