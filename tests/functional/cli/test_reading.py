"""Every command that reads, against the whole hub in memory: as a table, as JSON and as CSV."""

import csv
import json
from io import StringIO

import httpx
import pytest

from tests.functional.cli.command_line import CommandLine
from tests.functional.console.console_hub import ANA

SHOWN = {
    "whoami": "t-owner",
    "integrations": "https://gitlab.example.com",
    "sync --status": "credentials",
    "who acme": "ana     Ana      active  Maintainer  direct  acme     in 5 days",
    "who acme --at-least maintainer": "ana",
    "who acme --by shared": "ben     Ben Ana  active  Developer",
    "what @ana": "project        acme/shop-Ana  Maintainer  inherited  acme",
    "why ana acme": "✂ cut here",
    "people ana": "Ben Ana",
    "people --kind human --status active --no-2fa --without-access": None,
    "summary": "accounts human active                3",
    "credentials --risk no_expiry --kind ssh_key --person ana --expiring 30d": None,
    "changes --since 2026-01-01 --until 1d --person ana --path acme --kind grant_added": None,
    "plan": "plan_00000000  blocked           1",
    "requests --status denied": "OPS-1",
    "pipelines --failed --project acme/shop-Ana --ref main --since 7d": None,
    "jobs --failed --failed-of infra --group acme --name unit --runner r1": None,
    "success --since 7d --refs default_branch --by project": "all          0",
    "flaky --project acme/shop-Ana": "100.0 %",
    "deployments --tier production --status failed --since 7d": "prod Ana",
    "deployments --environment staging --project acme/shop-Ana": None,
    "dora --since 7d --by project": "acme/shop-Ana            2",
    "dora --since 2026-01-01 --group acme": "all            2     0.01  50.0 %          10 min",
    "exports": "accounts  csv     queued",
    "exports list --limit 1": "exp_",
    "deliveries --event push --since 1d": "pending",
    "builds --status pending": "manual  t-owner  pending",
    "reviews": "Everything  open",
    "triggers": "project 3  push",
    "webhooks": "project  acme/p3  push",
    "policies": "Developers ask, an owner approves",
    "sync history": None,
    "incidents": None,
    "audit --action integration.connect --since 1d": "integration.connect",
    "tokens": None,
}
"""Commands, and what stands in their tables; None where there is nothing to tell."""

DORA = ("deployments", "deployment_frequency_per_day", "lead_time_median", "change_failure_rate",
        "time_to_restore_median")  # fmt: skip


@pytest.mark.parametrize("command", SHOWN)
def test_a_table_shows_it_and_says_so_where_there_is_nothing(hub: CommandLine, command: str) -> None:
    ended = hub(*command.split())
    assert ended.code == 0, ended.err
    wanted = SHOWN[command]
    if wanted is None:
        assert (ended.out, ended.err.strip() != "") == ("", True)
    else:
        assert wanted in ended.out


@pytest.mark.parametrize("command", SHOWN)
def test_the_same_is_told_as_json_and_csv_also_where_there_is_nothing(hub: CommandLine, command: str) -> None:
    as_json = hub(*command.split(), "-o", "json")
    assert as_json.code == 0, as_json.err
    assert isinstance(json.loads(as_json.out), dict | list)
    as_csv = hub(*command.split(), "-o", "csv")
    heading, *rows = csv.reader(StringIO(as_csv.out))
    assert (as_csv.code, len(set(heading)), {len(row) for row in rows} <= {len(heading)}) == (0, len(heading), True)


def test_times_are_told_in_words_to_people_and_exactly_to_programs(hub: CommandLine) -> None:
    assert "in 5 days" in hub("who", "acme").out
    [ana, ben] = json.loads(hub("who", "acme", "-o", "json").out)
    assert (ana["expires_at"], ana["person"], ben["expires_at"]) == ("2026-09-26T14:13:20Z", "ana", None)
    [row, _] = csv.DictReader(StringIO(hub("who", "acme", "-o", "csv").out))
    assert (row["expires"], row["since"]) == ("2026-09-26T14:13:20Z", "2026-09-20T14:13:20Z")


def test_all_ways_are_drawn_with_what_ends_them(hub: CommandLine) -> None:
    reason = "as a member of ops-Ana (Owner), which was invited into acme with at most Developer"
    assert hub("why", "ben", "acme/shop-Ana").out.splitlines() == [
        "ben → acme/shop-Ana: Developer",
        "└── Developer, shared",
        "    └── Owner in ops-Ana ✂ cut here",
        "        └── ops-Ana is invited into acme: Developer, at most Developer",
        "            └── passes down to acme/shop-Ana",
        f"Ben Ana (@ben) has Developer in acme/shop-Ana: {reason}.",
        "To end it:",
        "  hub plan revoke ben ops-Ana",
    ]


def test_who_has_nothing_is_told_so(hub: CommandLine) -> None:
    told = hub("why", "cy", "acme")
    assert (told.code, "No access" in told.out, "cut" in told.out) == (0, True, False)


def test_one_thing_is_shown_with_all_its_ids(hub: CommandLine) -> None:
    delivery, build = hub.hub.ids["delivery_id"], hub.hub.ids["build_id"]
    shown = hub("deliveries", "show", delivery)
    assert (shown.code, delivery in shown.out, "verified by" in shown.out) == (0, True, True)
    assert json.loads(hub("deliveries", "show", delivery, "-o", "json").out)["id"] == delivery
    assert "trg_" in hub("builds", "show", build).out


def test_a_plan_that_cannot_be_applied_wants_attention(hub: CommandLine) -> None:
    shown = hub("plan", "show", "plan_00000000")
    assert (shown.code, "refused, last_owner" in shown.out, "before: Owner; after: nothing" in shown.out) == (
        4,
        True,
        True,
    )
    assert "1 operation: 1 refused" in shown.out


def test_figures_of_deployments_say_why_there_are_none(hub: CommandLine) -> None:
    nothing = dict.fromkeys(DORA) | {"rows": [], "reason": {"hint": "Sync first."}}
    said = {"definition": {"text": "by rule"}, "completeness": {"complete": False, "unread": 2, "projects": 2}}

    def answered(request: httpx.Request) -> httpx.Response:
        is_dora = request.url.path.endswith("/dora")
        return httpx.Response(200, json={**nothing, **said}) if is_dora else hub.network.answer(request)

    hub.network.faults = [answered] * 3
    told = hub("dora")
    assert (told.code, "all" in told.out, told.err.splitlines()[-1]) == (0, True, "Sync first.")


def test_a_list_about_no_integration_in_particular_is_about_all(hub: CommandLine) -> None:
    del hub.environ["HUB_INTEGRATION"]
    assert hub("deliveries").code == hub("builds").code == hub("incidents").code == hub("audit").code == 0
    assert "integration_id" not in str([request.url for request in hub.network.requests])


def test_a_person_may_be_named_by_the_number_that_gitlab_gave(hub: CommandLine) -> None:
    hub("credentials", "--person", str(ANA))
    assert hub.network.requests[-1].url.params["account_id"] == str(ANA)
