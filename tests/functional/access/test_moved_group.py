"""The group of the integration is renamed between two syncs, or in the midst of one: nothing in it is lost."""

from dataclasses import replace
from typing import Any, cast

import pytest

from gitlab_hub.gitlab.errors import GitLabError, RateLimited, Unavailable
from gitlab_hub.sync.run import RunStatus
from tests.fakes.engine import Driver
from tests.fakes.hints import OneTarget
from tests.fakes.mirrored_source import FakeGitLab
from tests.functional.access.company import JANE, OLE, TOP_GROUP, group, member, project
from tests.functional.access.hinted_company import HintedCompany

ASKED = "/groups/1"


class Synced:
    """A company whose hub has read it once."""

    def __init__(self) -> None:
        self.company = HintedCompany(TOP_GROUP)
        self.company.script["/user"] = {"id": 7}
        self.driver = Driver(self.company.table, self.company.feature, cast("FakeGitLab", self.company.gitlab))
        self.driver.targets = self.company.hint_worker.targets
        assert self.run("s1") is RunStatus.IDLE
        self.rename()

    @property
    def targets(self) -> OneTarget:
        """The integration."""
        return self.company.hint_worker.targets

    def run(self, sync_id: str) -> RunStatus:
        """Sync."""
        return self.driver.work(self.driver.start(sync_id)).status

    def rename(self) -> None:
        """Call the group otherwise: its former path finds nothing any more (lib/api/helpers.rb, `find_group`)."""
        script = self.company.script
        for path in ("/groups/Acme", "/groups/Acme/projects"):
            del script[path]
        teams = group(2, "ember/teams", parent_id=1)
        script |= {
            ASKED: {**script[ASKED], **group(1, "ember")},
            "/groups/1/descendant_groups": [teams],
            "/groups/2": {**teams, "shared_with_groups": []},
            "/groups/1/projects": [project(8, "ember/store"), project(9, "ember/teams/wiki", archived=True)],
            "/projects/8": project(8, "ember/store"),
            "/projects/9": project(9, "ember/teams/wiki"),
        }


@pytest.fixture
def synced() -> Synced:
    return Synced()


def test_a_renamed_group_is_synced_with_all_there_is_in_it(synced: Synced) -> None:
    before = synced.company.grants()
    assert synced.run("s2") is RunStatus.IDLE
    assert (synced.company.grants(), synced.driver.run.suspected) == (before, {})
    paths = {row["full_path"] for kind in ("groups", "projects") for row in synced.company.rows(kind).values()}
    assert paths == {"ember", "ember/teams", "ember/store", "ember/teams/wiki"}
    assert synced.targets.only == replace(TOP_GROUP, group="ember", group_id=1)
    assert synced.targets.places == [(1, "acme"), (1, "ember")]


def test_a_group_that_is_renamed_while_it_is_read_loses_nothing(synced: Synced) -> None:
    script, before = synced.company.script, synced.company.grants()
    wiki = project(9, "oak/teams/wiki", archived=True)

    def renamed(_: Any) -> list[dict[str, Any]]:
        script.update({ASKED: {**script[ASKED], **group(1, "oak")}, "/projects/9": wiki})
        return [project(8, "ember/store"), wiki]

    script["/groups/1/projects"] = renamed
    assert synced.run("s2") is RunStatus.IDLE
    assert (synced.company.ids("projects"), synced.company.grants()) == ([8, 9], before)


def test_what_leaves_a_group_that_stays_as_it_is_goes(synced: Synced) -> None:
    moved = project(9, "elsewhere/wiki")
    synced.company.script.update({"/groups/1/projects": [project(8, "ember/store")], "/projects/9": moved})
    assert synced.run("s2") is RunStatus.IDLE
    assert synced.company.ids("projects") == [8]


def test_a_hint_about_a_renamed_group_is_processed(synced: Synced) -> None:
    synced.company.script["/projects/9/members"] = [member(OLE, "ole", 20), member(JANE, "jane")]
    synced.company.hint(project=9)
    assert synced.company.members("project", 9) == {OLE: 20, JANE: 30}


@pytest.mark.parametrize(("error", "times"), [(Unavailable("Down.", http_status=503), 3), (RateLimited("Slow."), 1)])
def test_a_gitlab_that_cannot_say_where_the_group_is_is_asked_again(
    synced: Synced, error: GitLabError, times: int
) -> None:
    shown, left = synced.company.script[ASKED], iter(range(times))
    synced.company.script[ASKED] = lambda _: shown if next(left, None) is None else error
    assert synced.run("s2") is RunStatus.IDLE
    assert synced.company.ids("projects") == [8, 9]


def test_without_knowing_where_the_group_is_nothing_is_compared_with_its_path(synced: Synced) -> None:
    synced.company.script[ASKED] = Unavailable("Down.", http_status=503)
    before: list[Any] = synced.company.table.dump()
    assert synced.run("s2") is RunStatus.FAILED
    assert [row for row in synced.company.table.dump() if row["pk"] == "i1#projects"] == [
        row for row in before if row["pk"] == "i1#projects"
    ]


def test_a_group_that_is_gone_is_said_to_be(synced: Synced) -> None:
    del synced.company.script[ASKED]
    synced.run("s2")
    assert synced.driver.run.incomplete > 0
    assert synced.targets.places == [(1, "acme")]
