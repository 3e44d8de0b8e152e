"""What each function may do with the objects of integrations: snapshots, files for auditors, exports."""

import re

import pytest

from tests.fakes.aws_calls import AwsCall
from tests.unit.template.rights import BUCKET, OBJECTS, WRITES, allowed, grants, used
from tests.unit.template.transformed import ROOT

GRANTED = grants()


OF_OBJECTS = {
    "get_object": "GetObject",
    "put_object": "PutObject",
    "create_multipart_upload": "PutObject",
    "upload_part": "PutObject",
    "complete_multipart_upload": "PutObject",
    "abort_multipart_upload": "AbortMultipartUpload",
    "delete_objects": "DeleteObject",
    "list_objects_v2": "ListBucket",
    "generate_presigned_url": "GetObject",
}
"""What each call of S3 needs (Service Authorization Reference, Amazon S3)."""


def test_objects_are_written_by_those_who_make_them_and_read_by_who_answers_and_nobody_else() -> None:
    code = (ROOT / "layers/hub/python/gitlab_hub/storage/s3.py").read_text()
    needed = {OF_OBJECTS[name] for name in re.findall(r"_client\(\)\.(\w+)\(", code)}
    granted = {grant for grant in GRANTED if grant.action.startswith("s3:")}
    by_role = {
        role: {grant.action.partition(":")[2] for grant in granted if grant.role == role}
        for role in {grant.role for grant in granted}
    }
    assert by_role == {
        "SyncAccountsRole": needed,
        "AccessRole": {"GetObject"},
        "ExporterRole": needed - {"GetObject"},
    }
    assert {grant.resource for grant in granted} == {BUCKET}
    patterns = {key for grant in granted for key in grant.keys if grant.action != "s3:ListBucket"}
    assert patterns == set(OBJECTS)


@pytest.mark.parametrize(
    ("key", "is_granted"),
    [
        ("int_1/access/2026-11-30/1795130000-s1.jsonl.gz", True),
        ("files/int_1/access-review/2026-11-30.csv", True),
        ("int_1/other", False),
        ("access/int_1", False),
        ("", False),
    ],
)
def test_rights_on_objects_end_where_integrations_have_theirs(key: str, is_granted: bool) -> None:
    for function, action in (
        ("SyncAccountsFunction", "s3:PutObject"),
        ("SyncAccountsFunction", "s3:ListBucket"),
        ("AccessFunction", "s3:GetObject"),
    ):
        assert bool(used(AwsCall(function, action, BUCKET, (key,)), GRANTED)) is is_granted, (function, action)


def test_whoever_makes_exports_changes_nothing_but_them() -> None:
    writes = {grant for grant in GRANTED if grant.role == "ExporterRole" and grant.action in WRITES}
    assert {key for grant in writes for key in grant.keys} == {
        "EXPORTS#*",
        "EXPORT_FILES#*",
        "DUE#exports",
        "INCIDENTS",
    }
    assert {grant.resource for grant in writes} == {"IntegrationsTable"}
    objects = {grant for grant in GRANTED if grant.role == "ExporterRole" and grant.action.startswith("s3:")}
    assert {grant.keys for grant in objects} == {("exports/int_*",)}
    assert allowed("ExporterRole", "secretsmanager") == set()
