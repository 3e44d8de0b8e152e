"""What the demo leaves behind: nothing, but the logs that a failure names."""

from contextlib import suppress
from pathlib import Path

import pytest

from local.demo import temporary_folder
from local.problems import Problem, Stopped


@pytest.mark.parametrize(("end", "stays"), [(None, False), (Stopped(), False), (Problem("see emulator.log"), True)])
def test_the_folder_of_a_demo_stays_where_a_message_names_a_log_in_it(
    end: BaseException | None, stays: bool, tmp_path: Path
) -> None:
    with suppress(Stopped, Problem), temporary_folder(tmp_path) as folder:
        (folder / "emulator.log").write_text("what went wrong")
        if end is not None:
            raise end
    assert (folder / "emulator.log").exists() is stays
