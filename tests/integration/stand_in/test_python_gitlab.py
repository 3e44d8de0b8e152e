"""A client that others wrote reads everything, and finds the truth."""

from collections.abc import Iterator
from typing import Any

import gitlab
import pytest

from stand_in_gitlab.process import Running


@pytest.fixture(scope="module")
def lab(server: Running) -> Iterator[gitlab.Gitlab]:
    with gitlab.Gitlab(server.base, private_token=server.tokens["admin"], per_page=50) as client:
        yield client


def ids(rows: Any) -> list[int]:
    return sorted(row.id for row in rows)


def truth(server: Running, dataset: str, **filters: object) -> list[int]:
    return sorted(row["id"] for row in server.truth(dataset, **filters))


def readable(server: Running) -> list[int]:
    """Projects whose pipelines may be read."""
    return [row["id"] for row in server.truth("projects") if row["builds_enabled"]]


def test_it_signs_in(server: Running, lab: gitlab.Gitlab) -> None:
    lab.auth()
    assert lab.user is not None
    assert lab.user.username == "root"
    assert lab.version()[0] == "19.0.2-ee"
    assert lab.personal_access_tokens.get("self").scopes == ["api"]
    with gitlab.Gitlab(server.base, oauth_token=server.tokens["admin-read"]) as bearer:
        bearer.auth()


@pytest.mark.parametrize("options", [{}, {"pagination": "keyset", "order_by": "id", "sort": "asc"}])
def test_users_and_projects_by_both_kinds_of_pages(
    server: Running, lab: gitlab.Gitlab, options: dict[str, str]
) -> None:
    assert ids(lab.users.list(iterator=True, **options)) == truth(server, "users")
    assert ids(lab.projects.list(iterator=True, **options)) == truth(server, "projects")


def test_groups_and_their_shares(server: Running, lab: gitlab.Gitlab) -> None:
    groups = lab.groups.list(iterator=True)
    found = {
        ("group", group.id, share["group_id"])
        for group in groups
        for share in lab.groups.get(group.id).shared_with_groups
    }
    found |= {
        ("project", each.id, share["group_id"])
        for each in lab.projects.list(iterator=True)
        for share in each.shared_with_groups
    }
    assert ids(lab.groups.list(iterator=True)) == truth(server, "groups")
    assert found == {(row["source"], row["source_id"], row["group_id"]) for row in server.truth("shares")}


def test_every_direct_member(server: Running, lab: gitlab.Gitlab) -> None:
    found = set()
    for kind, manager in (("group", lab.groups), ("project", lab.projects)):
        for source in manager.list(iterator=True):
            found |= {(kind, source.id, each.id, each.access_level) for each in source.members.list(iterator=True)}
    expected = {
        (row["source"], row["source_id"], row["user_id"], row["access_level"]) for row in server.truth("members")
    }
    assert found == expected


def test_every_invitation(server: Running, lab: gitlab.Gitlab) -> None:
    found = set()
    for kind, manager in (("group", lab.groups), ("project", lab.projects)):
        for source in manager.list(iterator=True):
            found |= {(kind, source.id, each.invite_email) for each in source.invitations.list(iterator=True)}
    assert found == {(row["source"], row["source_id"], row["invite_email"]) for row in server.truth("invitations")}


def test_every_pipeline_job_and_bridge(server: Running, lab: gitlab.Gitlab) -> None:
    pipelines, jobs, bridges = set(), set(), set()
    for project_id in readable(server):
        project = lab.projects.get(project_id, lazy=True)
        for options in ({}, {"source": "parent_pipeline"}):
            for pipeline in project.pipelines.list(iterator=True, **options):
                pipelines.add((pipeline.id, pipeline.status))
                jobs |= {(job.id, job.status) for job in pipeline.jobs.list(iterator=True, include_retried=True)}
                bridges |= {(job.id, job.downstream_pipeline["id"]) for job in pipeline.bridges.list(iterator=True)}
    assert pipelines == {(row["id"], row["status"]) for row in server.truth("pipelines")}
    assert jobs == {(row["id"], row["status"]) for row in server.truth("jobs")}
    assert bridges == {(row["id"], row["downstream_pipeline_id"]) for row in server.truth("bridges")}


@pytest.mark.parametrize("options", [{}, {"pagination": "keyset", "order_by": "id", "sort": "desc"}])
def test_the_jobs_of_projects_by_both_kinds_of_pages(
    server: Running, lab: gitlab.Gitlab, options: dict[str, str]
) -> None:
    found = []
    for project_id in readable(server):
        found += ids(lab.projects.get(project_id, lazy=True).jobs.list(iterator=True, **options))
    assert sorted(found) == truth(server, "jobs")


def test_hooks_come_and_go(server: Running, lab: gitlab.Gitlab) -> None:
    project = lab.projects.get(1)
    hook = project.hooks.create({"url": "https://hub.test/a", "token": "s3cret", "pipeline_events": True})
    assert hook.id in truth(server, "hooks", project_id=1)
    hook.url = "https://hub.test/b"
    hook.save()
    again = project.hooks.get(hook.id)
    assert (again.url, again.pipeline_events, again.token_present) == ("https://hub.test/b", True, False)
    hook.delete()
    assert ids(project.hooks.list(iterator=True)) == truth(server, "hooks", project_id=1)


def test_a_group_owner_finds_what_is_hers(server: Running) -> None:
    visibility = server.control("GET", "ground-truth/visibility?token=owner-read")
    with gitlab.Gitlab(server.base, private_token=server.tokens["owner-read"], per_page=50) as lab:
        assert ids(lab.groups.list(iterator=True)) == sorted(map(int, visibility["groups"]))
        assert ids(lab.projects.list(iterator=True)) == sorted(map(int, visibility["projects"]))
        hidden = set(truth(server, "projects")) - set(map(int, visibility["projects"]))
        with pytest.raises(gitlab.GitlabGetError, match="404"):
            lab.projects.get(min(hidden))


def test_an_owner_of_a_full_path(lab: gitlab.Gitlab, server: Running) -> None:
    nested = next(row for row in server.truth("groups") if row["parent_id"])
    assert lab.groups.get(nested["full_path"]).id == nested["id"]


def test_members_come_change_and_go(server: Running, lab: gitlab.Gitlab) -> None:
    group = lab.groups.get(server.change("add_group", path="written-by-others")["id"])
    member = group.members.create({"user_id": 2, "access_level": 30, "expires_at": "2099-01-01"})
    with pytest.raises(gitlab.GitlabCreateError, match="409: Member already exists"):
        group.members.create({"user_id": 2, "access_level": 40})
    member.access_level = 40
    member.save()
    [row] = server.truth("members", source="group", source_id=group.id)
    assert (row["user_id"], row["access_level"], row["expires_at"]) == (2, 40, "2099-01-01")
    group.invitations.create({"email": "new@partner.example", "access_level": 20})
    [invitation] = group.invitations.list(get_all=True)
    assert invitation.invite_email == "new@partner.example"
    group.share(1, 30)
    assert [row["group_id"] for row in server.truth("shares", source="group", source_id=group.id)] == [1]
    group.unshare(1)
    member.delete()
    assert server.truth("members", source="group", source_id=group.id) == []
    assert server.truth("shares", source="group", source_id=group.id) == []


def test_accounts_come_change_and_go(server: Running, lab: gitlab.Gitlab) -> None:
    wanted = {"email": "made@acme.example", "name": "Made", "username": "made", "force_random_password": True}
    user = lab.users.create(wanted)
    assert (user.block(), user.unblock(), user.unblock()) == (True, True, False)
    user.name = "Made Anew"
    user.save()
    assert lab.users.get(user.id).name == "Made Anew"
    user.delete()
    assert user.id in truth(server, "users")
    server.control("POST", "advance", {"seconds": 1, "idle": True})
    assert user.id not in truth(server, "users")
