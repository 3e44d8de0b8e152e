"""The catalog of exports: what Athena is told agrees with what is written, and is told on demand only."""

import re

import pytest

from gitlab_hub.exports.columns import COLUMNS, Type
from gitlab_hub.exports.model import Asked, Dataset, Export, Format, Partition, key_of
from tests.unit.template.transformed import resources, source, transformed

HIVE = {
    Type.TEXT: "string",
    Type.WHOLE: "bigint",
    Type.NUMBER: "double",
    Type.FLAG: "boolean",
    Type.TIME: "bigint",
    Type.JSON: "string",
}
TABLES = {str(Dataset.PIPELINES): "PipelinesCatalog", str(Dataset.JOBS): "JobsCatalog"}
CATALOG = ("AWS::Glue::Database", "AWS::Glue::Table", "AWS::Athena::NamedQuery")


def test_it_is_made_on_demand_only() -> None:
    made = {name: one for name, one in transformed()["Resources"].items() if one["Type"] in CATALOG}
    assert len(made) == 5
    assert {one["Condition"] for one in made.values()} == {"HasExportsCatalog"}
    assert source()["Parameters"]["ExportsCatalog"]["Default"] == "false"


@pytest.mark.parametrize("dataset", TABLES)
def test_a_table_has_the_columns_of_its_files(dataset: str) -> None:
    table = resources("AWS::Glue::Table")[TABLES[dataset]]["TableInput"]
    told = [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]
    assert told == [(column.name, HIVE[column.type]) for column in COLUMNS[Dataset(dataset)]]
    assert table["Name"] == dataset


@pytest.mark.parametrize("dataset", TABLES)
def test_a_table_finds_the_files_of_one_export(dataset: str) -> None:
    table = resources("AWS::Glue::Table")[TABLES[dataset]]["TableInput"]
    template = table["Parameters"]["storage.location.template"]["Fn::Sub"]
    asked = Asked(integration_id="int_1", dataset=Dataset(dataset), format=Format.PARQUET)
    export = Export(id="exp_1", asked=asked, created_at=0, created_by="t", expires_at=0)
    key = key_of(export, Partition(project_id=15, day="2026-11-30"), 0)
    # ${!name} is CloudFormation's way to leave ${name} to Athena ("Fn::Sub", "Setting up partition projection").
    place = template.replace("${!integration}", "int_1").replace("${!export}", "exp_1")
    assert f"s3://${{ExportsBucket}}/{key}".startswith(place)
    keys = {key["Name"] for key in table["PartitionKeys"]}
    injected = {name for name in keys if table["Parameters"][f"projection.{name}.type"] == "injected"}
    assert injected == keys == set(re.findall(r"\$\{!(\w+)\}", template))


def test_queries_ask_for_columns_that_there_are() -> None:
    for name, query in resources("AWS::Athena::NamedQuery").items():
        text = query["QueryString"]
        dataset = re.findall(r"FROM (\w+)", text)[0]
        known = {column.name for column in COLUMNS[Dataset(dataset)]} | {"integration", "export", dataset}
        words = set(re.findall(r"\b[a-z_]\w*", re.sub(r"'[^']*'", "", text)))
        named = set(re.findall(r"AS (\w+)", text))
        functions = {"count", "count_if", "round", "nullif", "approx_percentile"}
        assert words <= known | named | functions, name
        assert "integration = '" in text, name
        assert "export = '" in text, name
