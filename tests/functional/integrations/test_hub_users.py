"""Whose tokens the hub uses for a GitLab: what plans must not revoke."""

from gitlab_hub.composition.adapters import HubTokenUsers
from gitlab_hub.gitlab.clients import GitLabConnection
from tests.fakes.gitlab import HOST
from tests.functional.integrations.integrations_hub import START, IntegrationsHub


def test_they_are_those_of_all_other_credentials_of_the_same_gitlab() -> None:
    hub = IntegrationsHub()
    hub.gitlab.users["glpat-b"] = 8
    first = hub.start()
    status, body = hub("POST", "/v1/integrations/gitlab/start", {**START, "access_token": "glpat-b"})
    assert status == 201, body
    store, users = hub.feature.store, HubTokenUsers(hub.feature.store)
    own = {one.id: (store.holding(one.id).credentials[0].id, one.account.id) for one in store.after(None)}
    second = next(one for one in own if one != first)
    for one, other in ((first, second), (second, first)):
        assert users.besides(_connection(one, own[one][0], HOST)) == {own[other][1]}
    assert users.besides(_connection(first, own[first][0], "https://elsewhere.example")) == frozenset()
    assert users.besides(_connection(first, "another", HOST)) == {own[first][1], own[second][1]}


def _connection(integration_id: str, credential_id: str, base_url: str) -> GitLabConnection:
    return GitLabConnection(
        integration_id=integration_id,
        credential_id=credential_id,
        base_url=base_url,
        user_id=1,
        is_admin=False,
        group=None,
        gitlab_version=None,
        paused=False,
        credential_works=True,
        manage_webhooks=False,
        report_statuses=False,
    )
