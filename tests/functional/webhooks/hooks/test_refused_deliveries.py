"""Deliveries that were refused because of their secrets: the secrets are set again, and then they are sent again."""

from datetime import UTC, datetime

import pytest

from tests.functional.webhooks.hooks.resending import arrives, lose, resend, with_a_hook
from tests.functional.webhooks.hooks_hub import PATH, HooksHub


@pytest.fixture
def hub() -> HooksHub:
    return with_a_hook()


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def refuse(hub: HooksHub, number: int, at: float, status: str = "401") -> None:
    hub.gitlab.fail_delivery(501, number, f"key-{number}", "client_failure", response_status=status, created_at=iso(at))


def test_secrets_that_somebody_has_replaced_are_sent_again_before_what_was_refused(hub: HooksHub) -> None:
    hub.gitlab.secrets[501] = ("another", "whsec_another")
    assert not hub.agrees()
    hub.now += 3_600
    refuse(hub, 11, hub.now - 10)
    report = hub.health_check.tick(lambda: 600.0)
    assert (report.looked, report.repaired, report.resent) == (1, 1, 1)
    assert hub.agrees()
    order = [one.split()[0] for one in hub.gitlab.writes[-2:]]
    assert order == ["PUT", "POST"]


@pytest.mark.parametrize(("status", "seconds_after"), [("401", -10), ("500", 10), ("404", 10)])
def test_what_was_refused_before_or_for_another_reason_says_nothing_of_secrets(
    hub: HooksHub, status: str, seconds_after: int
) -> None:
    refuse(hub, 11, hub.now + seconds_after, status)
    hub.now += 3_600
    report = hub.health_check.tick(lambda: 600.0)
    assert (report.repaired, report.resent) == (0, 1)


def test_a_mending_that_does_not_help_is_done_once_for_each_tick(hub: HooksHub) -> None:
    hub.now += 3_600
    refuse(hub, 11, hub.now - 10)
    refuse(hub, 12, hub.now - 5)
    assert hub.health_check.tick(lambda: 600.0).repaired == 1
    hub.now += 60
    assert hub.health_check.tick(lambda: 600.0).repaired == 0


HOUR = 3_600


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_what_was_refused_with_earlier_secrets_is_sent_again_however_gitlabs_clock_goes(ahead: float) -> None:
    hub = HooksHub()
    hub.ahead = ahead
    hub.register()
    refuse(hub, 11, hub.now + ahead - 10)
    hub.now += 60
    assert resend(hub) == {"resent": 1, "failed": 0, "known": 0, "complete": True}


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_secrets_that_somebody_has_replaced_are_sent_again_once_however_gitlabs_clock_goes(ahead: float) -> None:
    hub = HooksHub()
    hub.ahead = ahead
    hub.register()
    hub.gitlab.delivers = lambda number: arrives(hub, number)
    hub.gitlab.secrets[501] = ("another", "whsec_another")
    refuse(hub, 11, hub.now + ahead + 10)
    hub.now += HOUR
    report = hub.health_check.tick(lambda: 600.0)
    assert (report.repaired, report.resent, hub.agrees()) == (1, 1, True)
    refuse(hub, 12, hub.now + ahead - 10)
    hub.now += HOUR
    report = hub.health_check.tick(lambda: 600.0)
    assert (report.repaired, report.resent) == (0, 1)


@pytest.mark.parametrize(("seconds_after", "repaired"), [(-10, 0), (10, 1)])
def test_where_gitlab_told_no_time_the_hubs_own_counts(seconds_after: int, repaired: int) -> None:
    hub = HooksHub()
    hub.gitlab.clock = None
    hub.register()
    refuse(hub, 11, hub.now + seconds_after)
    hub.now += HOUR
    assert hub.health_check.tick(lambda: 600.0).repaired == repaired


def test_secrets_are_taken_when_they_are_sent_whatever_is_asked_after_that(hub: HooksHub) -> None:
    hub.gitlab.hooks[501]["custom_headers"] = [{"key": "X-Proxy"}]
    sent: list[float] = []

    def clock() -> float:
        if hub.gitlab.requests[-1].method == "PUT":
            sent.append(hub.now)
        hub.now += 1
        return hub.now - 1

    hub.gitlab.clock = clock
    assert hub("POST", f"{PATH}/{hub.hooks()[0].id}/repair")[0] == 200
    assert [hub.hooks()[0].secrets_taken_at] == sent


def test_a_hook_that_gitlab_has_paused_keeps_its_lost_deliveries_for_later(hub: HooksHub) -> None:
    lose(hub, 11)
    hub.gitlab.hooks[501]["alert_status"] = "temporarily_disabled"
    hub.now += 3_600
    assert hub.health_check.tick(lambda: 600.0).resent == 0
    assert hub.gitlab.resends == []
    hub.gitlab.hooks[501]["alert_status"] = "executable"
    hub.now += 60
    assert hub.health_check.tick(lambda: 600.0).resent == 1


def test_a_paused_hook_that_was_refused_gets_its_secrets_at_once(hub: HooksHub) -> None:
    hub.gitlab.secrets[501] = ("another", "whsec_another")
    hub.gitlab.hooks[501]["alert_status"] = "temporarily_disabled"
    hub.now += 3_600
    refuse(hub, 11, hub.now - 10)
    assert hub.health_check.tick(lambda: 600.0).repaired == 1
    assert (hub.agrees(), hub.gitlab.resends) == (True, [])
