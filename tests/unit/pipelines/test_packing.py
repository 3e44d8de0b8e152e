import random
import zlib
from typing import Any

import pytest

from gitlab_hub.pipelines.store import MAX_CHUNK, MAX_RAW, pack, pack_one, unpack


def test_nothing_makes_no_chunk() -> None:
    assert pack([]) == []


def test_rows_come_back_in_order_with_their_floats_and_odd_texts() -> None:
    rows: list[dict[str, Any]] = [{"id": 1, "duration": 1.25, "name": "\ud800 käse"}, {"id": 2, "duration": None}]
    assert [row for chunk in pack(rows) for row in unpack(chunk)] == rows
    assert unpack(pack_one(rows[0])) == rows[0]


def test_many_rows_make_chunks_that_fit_an_item_and_unfold_to_a_known_size() -> None:
    noise = random.Random(1)  # noqa: S311 - incompressible, repeatable
    rows = [{"id": number, "name": f"{noise.getrandbits(4000):x}"} for number in range(3000)]
    chunks = pack(rows)
    assert len(chunks) > 5
    assert max(map(len, chunks)) <= MAX_CHUNK
    assert max(len(zlib.decompress(chunk)) for chunk in chunks) <= MAX_RAW + 2
    assert [row for chunk in chunks for row in unpack(chunk)] == rows


@pytest.mark.parametrize("chunk", [zlib.compress(b" " * (MAX_RAW * 20)), zlib.compress(b"[1,2,3]")[:-6]])
def test_a_bomb_or_half_a_chunk_is_refused(chunk: bytes) -> None:
    with pytest.raises(ValueError, match="damaged or larger"):
        unpack(chunk)
