import gzip
import json
import tracemalloc
import zlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitlab_hub.gitlab.bodies import BodyReader, decode, deeper_than
from gitlab_hub.gitlab.errors import Interrupted, NotGitLab, UnexpectedResponse
from gitlab_hub.gitlab.messages import RawResponse

LIMIT = 1000
CHUNKED = {"transfer-encoding": "chunked"}
GZIP = {**CHUNKED, "content-encoding": "gzip"}


def read(headers: dict[str, str], *pieces: bytes, status: int = 200, limit: int = LIMIT) -> bytes:
    reader = BodyReader(status, headers, limit=limit)
    for piece in pieces:
        reader.feed(piece)
    return reader.finish()


def answer(body: bytes, media_type: str = "application/json; charset=utf-8", status: int = 200) -> RawResponse:
    headers = {"content-type": media_type, "x-request-id": "req-1"}
    return RawResponse(status=status, headers=headers, body=body)


def test_pieces_become_the_body() -> None:
    assert read(CHUNKED, b"a", b"", b"b") == b"ab"
    assert read({"content-length": "2", "content-encoding": "identity"}, b"ab") == b"ab"


@given(st.binary(max_size=900), st.integers(1, 50))
def test_gzip_is_undone_however_it_is_cut(body: bytes, size: int) -> None:
    packed = gzip.compress(body)
    assert read(GZIP, *(packed[at : at + size] for at in range(0, len(packed), size))) == body


def test_gzip_of_several_pieces_larger_than_one_step() -> None:
    body = b"[" + b" " * 500_000 + b"]"
    assert read({**CHUNKED, "content-encoding": "X-GZip"}, gzip.compress(body), limit=600_000) == body


@pytest.mark.parametrize("missing", [1, 8, 12])
def test_gzip_without_its_end_is_broken_off(missing: int) -> None:
    with pytest.raises(Interrupted):
        read(GZIP, gzip.compress(b'{"rows": []}')[:-missing])


def test_gzip_with_a_wrong_checksum_is_damaged() -> None:
    packed = bytearray(gzip.compress(b"hello", mtime=0))
    packed[-6] ^= 1
    with pytest.raises(Interrupted):
        read(GZIP, bytes(packed))


def test_what_is_no_gzip_is_damaged() -> None:
    with pytest.raises(Interrupted):
        read(GZIP, b"<html>")


@pytest.mark.parametrize("second", [b"x", gzip.compress(b"more", mtime=0)])
def test_nothing_may_follow_the_end_of_gzip(second: bytes) -> None:
    with pytest.raises(UnexpectedResponse):
        read(GZIP, gzip.compress(b"{}") + second)
    with pytest.raises(UnexpectedResponse):
        read(GZIP, gzip.compress(b"{}"), second)


def test_an_empty_body_needs_no_end_of_gzip() -> None:
    assert read({"content-encoding": "gzip", "content-length": "0"}) == b""


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
def test_other_encodings_are_refused(encoding: str) -> None:
    with pytest.raises(UnexpectedResponse):
        read({**CHUNKED, "content-encoding": encoding}, b"x")


@pytest.mark.parametrize("headers", [{}, {"content-length": "x"}, {"transfer-encoding": "identity"}])
def test_a_body_that_ends_with_the_connection_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(UnexpectedResponse):
        read(headers, b"{}")


def test_answers_without_a_body_need_no_length() -> None:
    assert read({}, status=204) == b""


def test_the_limit_is_inclusive_and_counts_over_pieces() -> None:
    assert len(read(CHUNKED, b"x" * 400, b"x" * 600)) == LIMIT
    with pytest.raises(UnexpectedResponse):
        read(CHUNKED, b"x" * 400, b"x" * 601)


def test_a_long_answer_is_refused_before_it_is_read() -> None:
    with pytest.raises(UnexpectedResponse):
        BodyReader(200, {"content-length": "1001"}, limit=LIMIT)


def test_a_bomb_stops_early_in_little_memory() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(50)) + packer.flush()
    tracemalloc.start()
    try:
        with pytest.raises(UnexpectedResponse):
            read(GZIP, bomb, limit=1_000_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4_000_000


def test_json_is_decoded() -> None:
    assert decode(answer(b'{"a": [1, "\xc3\xbc"]}')) == {"a": [1, "ü"]}
    assert decode(answer(b"[]", "application/vnd.gitlab+json")) == []
    assert decode(answer(b"", status=204)) is None


@pytest.mark.parametrize("media_type", ["text/html", "text/plain", "", "application/jsonp"])
def test_what_does_not_say_json_is_no_gitlab(media_type: str) -> None:
    with pytest.raises(NotGitLab) as refused:
        decode(answer(b"[]", media_type))
    assert (refused.value.http_status, refused.value.request_id) == (200, "req-1")


@pytest.mark.parametrize(
    "body", [b"", b"[", b'[{"a": 1}', b'{"a"', b"[1]]", b"\xff\xfe[\x00]\x00", b'["\xff"]', b"[NaN]", b"[Infinity]",
             b"[" + b"9" * 5000 + b"]"],
)  # fmt: skip
def test_what_is_not_whole_json_may_be_asked_again(body: bytes) -> None:
    with pytest.raises(UnexpectedResponse) as refused:
        decode(answer(body))
    assert (refused.value.http_status, refused.value.request_id) == (200, "req-1")


def test_a_cut_answer_is_told_from_a_strange_one() -> None:
    with pytest.raises(Interrupted):
        decode(answer(b'{"a": "b'))


def test_text_that_is_not_unicode_is_refused() -> None:
    assert decode(answer(rb'["\ud83d\ude00"]')) == ["😀"]
    with pytest.raises(UnexpectedResponse):
        decode(answer(rb'["\ud83d"]'))


@pytest.mark.parametrize(
    "body", [b"[" * 101 + b"]" * 101, b'{"a":' * 101 + b"1" + b"}" * 101, b"[" * 1_000_000, b'[{"a":' * 100_000]
)
def test_deep_json_is_refused_without_recursion(body: bytes) -> None:
    with pytest.raises(UnexpectedResponse) as refused:
        decode(answer(body))
    assert not isinstance(refused.value, Interrupted)


def test_depth_is_exact() -> None:
    assert decode(answer(b"[" * 100 + b"]" * 100)) is not None
    assert decode(answer(b"[[],[[]],{}]"), max_depth=3) == [[], [[]], {}]
    with pytest.raises(UnexpectedResponse):
        decode(answer(b"[[],[[]],{}]"), max_depth=2)


@pytest.mark.parametrize("text", ["[" * 500, '\\"' + "[" * 500, "\\\\" + "]" * 500, ']\\\\\\"[', "{}" * 500])
def test_brackets_in_strings_do_not_count(text: str) -> None:
    body = json.dumps([{text: text}]).encode()
    assert not deeper_than(body, 2)
    assert deeper_than(body, 1)


def depth(value: Any) -> int:
    match value:
        case dict():
            return 1 + max(map(depth, value.values()), default=0)
        case list():
            return 1 + max(map(depth, value), default=0)
    return 0


@given(
    st.recursive(
        st.text('"\\[]{}a') | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text('"\\[]{}'), inner)
    )
)
def test_depth_is_that_of_the_value(value: object) -> None:
    body = json.dumps(value).encode()
    assert not deeper_than(body, depth(value))
    assert depth(value) == 0 or deeper_than(body, depth(value) - 1)


@given(st.binary(max_size=300))
def test_no_body_breaks_the_decoder(body: bytes) -> None:
    with suppress(UnexpectedResponse):
        assert decode(answer(body)) == json.loads(body)
