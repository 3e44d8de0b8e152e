"""The page of a large GitLab says what the script works out."""

from benchmarks import scale


def test_the_page_is_what_the_script_writes() -> None:
    assert scale.DOCUMENT.read_text() == scale.document()  # else: .venv/bin/python -m benchmarks.scale


def test_a_first_sync_asks_far_less_than_for_every_pipeline() -> None:
    assert sum(scale.parts().values()) == scale.first().requests < scale.by_rest() / 10


def test_no_key_takes_more_writes_than_it_can() -> None:
    assert all(float(share.rstrip("%")) < 100 for _, _, share, _ in scale.busiest_keys())
