"""What a person hears of tokens: one log line and one metric each, with ids and no secret."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from gitlab_hub.integrations.care.signals import LambdaSignals, Signals

SIGNALS: Signals = LambdaSignals()


@pytest.mark.parametrize(("tell", "metric", "extra"), [
    (lambda: SIGNALS.needs_reauth("int_1", "cred_1", "invalid_grant"), "CredentialsLost", {"reason": "invalid_grant"}),
    (lambda: SIGNALS.expiring("int_1", "cred_1", 7), "CredentialsExpiring", {"days": 7}),
    (lambda: SIGNALS.failed("int_1", "rate_limited"), "CareFailures", {"code": "rate_limited"}),
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
