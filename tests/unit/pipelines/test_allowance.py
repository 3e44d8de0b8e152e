"""How many unfinished pipelines a worker asks for again, over all projects."""

from dataclasses import replace

from gitlab_hub.pipelines.owed import MOST_UNFINISHED, unfinished
from gitlab_hub.pipelines.owed_pipelines import Allowance


def test_what_lacks_details_leaves_half_to_what_goes_on() -> None:
    running = unfinished({"id": 1, "sha": "a" * 40, "updated_at": "2026-02-01T00:00:00Z"}, 7, now=0)
    outline = replace(running, outline=True)
    allowance = Allowance()
    assert len(allowance.take([outline] * 2 * MOST_UNFINISHED)) == MOST_UNFINISHED // 2
    assert allowance.take([outline, running, outline]) == [running]
    assert len(allowance.take([running] * MOST_UNFINISHED)) == MOST_UNFINISHED // 2 - 1
    assert allowance.take([running]) == []
