"""The page about exports names every column, as it is written."""

import re
from pathlib import Path

import pytest

from gitlab_hub.exports.columns import COLUMNS
from gitlab_hub.exports.model import Dataset, Format
from gitlab_hub.pipelines.figures.facts import REF_CLASSES

PAGE = (Path(__file__).parents[3] / "docs" / "exports.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (.+) \|$", re.MULTILINE)


@pytest.mark.parametrize("dataset", list(Dataset))
def test_the_columns_of_a_dataset_are_told_in_their_order(dataset: Dataset) -> None:
    section = PAGE.partition(f"### {dataset}\n")[2].partition("\n#")[0]
    told = ROW.findall(section)
    assert told == [(column.name, str(column.type), column.meaning) for column in COLUMNS[dataset]]


def test_every_dataset_and_format_is_told() -> None:
    for word in (*Dataset, *Format):
        assert f"`{word}`" in PAGE


def test_every_ref_class_has_its_rule_and_its_own_name_in_the_columns() -> None:
    rules = re.findall(
        r"^\| `(\w+)` \| [^|]+ \|$", PAGE.partition("`ref_class` is")[2].partition("\n###")[0], re.MULTILINE
    )
    assert sorted(rules) == sorted(REF_CLASSES)
    for dataset in (Dataset.PIPELINES, Dataset.JOBS):
        meaning = next(column.meaning for column in COLUMNS[dataset] if column.name == "ref_class")
        assert set(REF_CLASSES) <= set(re.findall(r"\w+", meaning))
