"""What a person hears of tokens: one log line and one metric each, with ids and no secret."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from gitlab_hub.integrations.model import NOBODY, Credential
from gitlab_hub.integrations.tokens.alerts import LambdaTokenAlerts, TokenAlerts

ALERTS: TokenAlerts = LambdaTokenAlerts()


def refused(status: str = "rejected") -> Credential:
    return Credential(
        id="cred_1", integration_id="int_1", label="first", account=NOBODY, status=status, scopes=(),
        token_expires_at=None, expiration_date=None, api_base_url=None, token_version="v1", created_at=1, updated_at=1,
    )  # fmt: skip


@pytest.mark.parametrize(("tell", "metric", "extra"), [
    (lambda: ALERTS.needs_reauth("int_1", "cred_1", "invalid_grant"), "CredentialsLost", {"reason": "invalid_grant"}),
    (lambda: ALERTS.rejected(refused()), "CredentialsLost", {"credential_id": "cred_1", "status": "rejected"}),
    (lambda: ALERTS.not_renewed("int_1", "cred_1", "invalid_client"), "CredentialsLost", {"reason": "invalid_client"}),
    (lambda: ALERTS.expiring("int_1", "cred_1", 7), "CredentialsExpiring", {"days": 7}),
    (lambda: ALERTS.failed("int_1", "rate_limited"), "CareFailures", {"code": "rate_limited"}),
])  # fmt: skip
def test_each_is_logged_and_counted(
    tell: Callable[[], None], metric: str, extra: dict[str, Any], caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    caplog.set_level(logging.WARNING)
    tell()
    counted = json.loads(capsys.readouterr().out)
    assert (counted[metric], counted["function"]) == ([1.0], "unknown")
    [record] = caplog.records
    assert {"integration_id": "int_1", **extra}.items() <= vars(record).items()


def test_a_lost_one_is_told_of_once_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    ALERTS.rejected(refused("refresh_failed"))
    assert capsys.readouterr().out == ""
