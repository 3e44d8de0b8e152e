import math

import pytest

from gitlab_hub.web.prometheus import Metric, exposition


def test_a_metric_has_its_meaning_its_type_and_its_samples() -> None:
    metric = Metric("hub_pipelines", "How many.")
    metric.add(3, integration="int_1", status="success")
    metric.add(0.25, integration="int_2")
    assert exposition([metric]) == (
        "# HELP hub_pipelines How many.\n"
        "# TYPE hub_pipelines gauge\n"
        'hub_pipelines{integration="int_1",status="success"} 3\n'
        'hub_pipelines{integration="int_2"} 0.25\n'
    )


def test_labels_and_meanings_are_escaped_each_in_its_own_way() -> None:
    metric = Metric("hub", 'A "word", a \\ and\na line.')
    metric.add(1, name='a "b" \\ c\nd')
    help_line, _, sample = exposition([metric]).splitlines()
    assert help_line == '# HELP hub A "word", a \\\\ and\\na line.'
    assert sample == 'hub{name="a \\"b\\" \\\\ c\\nd"} 1'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-2.0, "-2"),
        (1e20, "100000000000000000000"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_numbers_are_spelled_as_prometheus_reads_them(value: float, text: str) -> None:
    metric = Metric("hub", "x")
    metric.add(value)
    assert exposition([metric]).splitlines()[-1] == f"hub {text}"


def test_a_metric_without_samples_is_left_out() -> None:
    metric = Metric("hub", "x")
    metric.add(None)
    assert exposition([metric]) == ""


@pytest.mark.parametrize(("name", "label"), [("hub-pipelines", "a"), ("hub", "a-b"), ("hub", "__a")])
def test_names_that_prometheus_does_not_take_are_our_own_fault(name: str, label: str) -> None:
    metric = Metric(name, "x")
    metric.add(1, **{label: "x"})
    with pytest.raises(ValueError, match="is no name of"):
        exposition([metric])
