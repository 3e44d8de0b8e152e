"""Values that hold a token do not show it, whatever prints them."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from gitlab_hub.integrations.connector import FixedToken
from gitlab_hub.integrations.credentials import CredentialFields
from gitlab_hub.integrations.model import Features
from gitlab_hub.integrations.requests import CredentialCreateBody, StartBody, TokenBody
from gitlab_hub.integrations.service import ConnectRequest
from gitlab_hub.integrations.store import Change
from gitlab_hub.integrations.verification.verifier import Subject
from tests.fakes.gitlab import CANARY, HOST

SUBJECT = Subject(host_url=HOST, token=CANARY)
START = {"host_url": HOST, "auth_mode": "personal_token"}
VALUES = [
    SUBJECT,
    replace(SUBJECT, group="acme"),
    ConnectRequest(subject=SUBJECT, features=Features(), display_name=None, dry_run=False),
    FixedToken(CANARY),
    CredentialFields(token=CANARY),
    Change(integration=None, tokens={"cred_1": CANARY}),  # type: ignore[arg-type]  # only its text matters here
    StartBody.model_validate(START | {"access_token": CANARY, "client_secret": CANARY}),
    TokenBody.model_validate({"access_token": CANARY}),
    CredentialCreateBody.model_validate({"secrets": {"api_token": CANARY}}),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_no_text_of_a_value_has_the_token(value: Any) -> None:
    assert CANARY not in f"{value!r} {value}"


@pytest.mark.parametrize("body", [
    START | {"access_token": f"{CANARY} "},
    START | {"access_token": CANARY, "more": CANARY},
    START | {"auth_mode": CANARY},
    START | {"access_token": {"token": CANARY}},
])  # fmt: skip
def test_no_text_of_a_refusal_has_the_token(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        StartBody.model_validate(body)
    assert CANARY not in str(refused.value)
