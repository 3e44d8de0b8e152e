"""Every kind of answer against GitLab's own schemas."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

SCHEMAS = Path(__file__).parents[2] / "data" / "gitlab" / "schemas"
V4 = SCHEMAS / "public_api" / "v4"

# The schemas say `"type": "date"`, and once `"string "`: words no validator knows for what is a string.
WORDS = {"date": "string", "string ": "string"}

# Documented fields that GitLab's schemas of jobs, hooks and projects do not know although they forbid unknown ones.
JOB = {"failure_reason"}
RUNNER = {"paused", "runner_type", "created_at", "job_execution_status"}
MANAGER = {"job_execution_status"}
HOOK = {"token_present", "signing_token_present"}


def _healed(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _word(value) if key == "type" else _healed(value) for key, value in schema.items()}
    return [_healed(each) for each in schema] if isinstance(schema, list) else schema


def _word(kind: Any) -> Any:
    if isinstance(kind, list):
        return [_word(each) for each in kind]
    return WORDS.get(kind, kind) if isinstance(kind, str) else _healed(kind)


def _load(uri: str) -> Resource[Any]:
    schema = json.loads(Path(uri.removeprefix("file://")).read_text("utf-8"))
    return Resource.from_contents(_healed(schema), default_specification=DRAFT7)


REGISTRY: Registry[Any] = Registry(retrieve=_load)  # type: ignore[call-arg]  # attrs hides the keyword


def assert_fits(name: str, value: object) -> None:
    """Fail with the first thing the schema does not like."""
    validator = Draft7Validator({"$ref": f"file://{V4 / name}"}, registry=REGISTRY)
    problems = [f"{'/'.join(map(str, each.absolute_path))}: {each.message}" for each in validator.iter_errors(value)]
    assert not problems, problems[:5]


def without(row: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """A row without fields that the schema lacks."""
    return {name: value for name, value in row.items() if name not in names}


def known(row: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A row reduced to what a schema knows: GitLab's project schemas know the simple form only."""
    return {name: value for name, value in row.items() if name in schema["properties"]}


@pytest.mark.parametrize("word", ["users", "user"])
def test_accounts_for_administrators(ask: Any, word: str) -> None:
    rows = ask.everything("/users") if word == "users" else [ask("/users/2").json]
    for row in rows:
        # The schema's enumerations know two states and four providers; GitLab has more of both.
        state = row["state"] if row["state"] in {"active", "blocked"} else "blocked"
        identities = [{**each, "provider": "github"} for each in row["identities"]]
        assert_fits("user/admin.json", {**row, "state": state, "identities": identities})


def test_the_own_account(ask: Any) -> None:
    for token in ("admin", "owner-read", "group", "service"):
        row = ask("/user", token).json
        assert_fits(
            "user/public.json", {**row, "identities": [{**each, "provider": "github"} for each in row["identities"]]}
        )


def test_accounts_for_others(ask: Any) -> None:
    for row in ask.everything("/users", "owner-read"):
        assert_fits("user/basic.json", row)
        assert "email" not in row
        assert "is_admin" not in row


def test_members_of_everything(ask: Any) -> None:
    for kind in ("groups", "projects"):
        for source in ask.everything(f"/{kind}"):
            assert_fits("members.json", ask.everything(f"/{kind}/{source['id']}/members"))
            assert_fits("members.json", ask.everything(f"/{kind}/{source['id']}/members/all"))


def test_projects(ask: Any) -> None:
    one, many = (json.loads((V4 / name).read_text("utf-8")) for name in ("project.json", "projects.json"))
    assert_fits("projects.json", [known(row, many["items"]) for row in ask.everything("/projects?simple=true")])
    for row in ask.everything("/projects"):
        assert_fits("project.json", known(ask(f"/projects/{row['id']}").json, one))


def test_pipelines(ask: Any) -> None:
    seen = set()
    for project in ask.everything("/projects"):
        if project["jobs_enabled"]:
            for row in ask.everything(f"/projects/{project['id']}/pipelines"):
                assert_fits("pipeline/basic.json", row)
                detail = ask(f"/projects/{project['id']}/pipelines/{row['id']}").json
                # The schema of illustrations is not among the copied ones.
                detail["detailed_status"].pop("illustration")
                assert_fits("pipeline/detail.json", detail)
                assert {name: detail[name] for name in row} == row
                seen.add(row["status"])
    assert {"success", "failed", "running"} <= seen


def test_jobs(ask: Any) -> None:
    seen = set()
    for project in ask.everything("/projects")[:8]:
        if project["jobs_enabled"]:
            for row in ask.everything(f"/projects/{project['id']}/jobs"):
                seen.add(row["status"])
                job = without(row, JOB)
                job["runner"] = job["runner"] and without(job["runner"], RUNNER)
                job["runner_manager"] = job["runner_manager"] and without(job["runner_manager"], MANAGER)
                assert_fits("job.json", job)
    assert {"success", "failed", "skipped"} <= seen


def test_hooks(ask: Any) -> None:
    hook = ask("/projects/1/hooks", "admin", "POST", {"url": "https://hub.test/hook", "token": "canary"})
    assert hook.status == 201
    assert hook.json["token_present"] is True
    assert_fits("project_hook.json", without(hook.json, HOOK))
    assert "canary" not in json.dumps([hook.json, ask("/projects/1/hooks").json])


def test_metadata(ask: Any) -> None:
    body = ask("/metadata").json
    # `externalK8sProxyUrl` came with GitLab 17.6; the schema's `kas` allows it, so the whole body is checked.
    assert_fits("metadata.json", body)
