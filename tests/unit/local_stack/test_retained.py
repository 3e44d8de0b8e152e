"""What CloudFormation may import again after the stack is gone."""

import json

from local.retained import kept
from tests.unit.template.transformed import leaves, source


def test_it_has_all_that_is_kept_and_nothing_else() -> None:
    template = kept(source())
    types = sorted(resource["Type"] for resource in template["Resources"].values())
    assert types == [*["AWS::DynamoDB::Table"] * 4, "AWS::S3::Bucket", "AWS::SecretsManager::Secret"]
    assert all("DeletionPolicy" in resource for resource in template["Resources"].values())  # an import demands it
    assert "Transform" not in template


def test_it_refers_to_nothing_outside_itself() -> None:
    template = kept(source())
    known = {*template["Resources"], *template["Parameters"]}
    for path, value in leaves(template["Resources"]):
        if isinstance(value, dict) and set(value) & {"Ref", "Fn::GetAtt"}:
            assert json.dumps(value).split('"')[3] in known, path
