"""The objects port over S3."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gitlab_hub.storage.aws import LazyClient, code_of, is_transient, refusal
from gitlab_hub.storage.ports import ObjectMissing, StorageUnavailable, Written

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

PART_BYTES = 8_000_000
"""Held in memory at once. S3 takes 10,000 parts, none below 5 MiB but the last (S3, "Multipart upload limits")."""

CHUNK_BYTES = 256_000
_MISSING = {"NoSuchKey", "404"}
_UNREACHABLE = "The bucket cannot be reached; try again in a moment."


def client_config(style: Literal["virtual", "path"]) -> Config:
    """How the client behaves. `virtual`: links name the bucket's own region, where they need no redirect."""
    return Config(
        connect_timeout=2,
        read_timeout=20,  # a part has more to carry than a row
        retries={"total_max_attempts": 3, "mode": "standard"},
        signature_version="s3v4",  # links to objects under a KMS key are signed in no other way
        s3={"addressing_style": style},
    )


class S3Objects:
    """The objects of one bucket. The client is made at first use; any thread may use it.

    `is_emulated`: an emulator has one address, and none of its own for each bucket.
    """

    def __init__(
        self,
        bucket: str,
        client: "Callable[[], S3Client] | None" = None,
        *,
        is_emulated: bool = False,
        part_bytes: int = PART_BYTES,
    ) -> None:
        self._bucket, self._part_bytes = bucket, part_bytes
        config = client_config("path" if is_emulated else "virtual")
        self._client: Callable[[], S3Client] = client or LazyClient("s3", config=config)

    def write(self, key: str, parts: Iterable[bytes], *, media: str) -> Written:
        """Write an object: what fits one part with one request, and more as a multipart upload."""
        seen = _Seen()
        chunks = _regrouped(seen.through(parts), self._part_bytes)
        first = next(chunks, b"")
        second = next(chunks, None)
        if second is None:
            _call(lambda: self._client().put_object(Bucket=self._bucket, Key=key, Body=first, ContentType=media))
        else:
            self._upload(key, chain([first, second], chunks), media)
        return seen.written

    def read(self, key: str) -> Iterator[bytes]:
        """Read an object in parts; botocore compares what came with the length that S3 has told."""
        answer = _call(lambda: self._client().get_object(Bucket=self._bucket, Key=key))
        parts = answer["Body"].iter_chunks(CHUNK_BYTES)
        while (part := _call(lambda: next(parts, None))) is not None:
            yield part

    def keys(self, prefix: str, *, limit: int = 1_000, after: str = "") -> list[str]:
        """List the first keys that begin so and stand behind `after`."""
        wanted: Any = {"Prefix": prefix, "MaxKeys": limit} | ({"StartAfter": after} if after else {})
        answer = _call(lambda: self._client().list_objects_v2(Bucket=self._bucket, **wanted))
        return [one["Key"] for one in answer.get("Contents", [])]

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects."""
        if not keys:
            return
        wanted: Any = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        answer = _call(lambda: self._client().delete_objects(Bucket=self._bucket, Delete=wanted))
        if errors := answer.get("Errors"):
            raise refusal(ClientError({"Error": {"Code": errors[0].get("Code", "")}}, "DeleteObjects"))

    def link(self, key: str, *, filename: str, seconds: int) -> str:
        """Sign an address; no request is made, and whether the object is there is not looked at."""
        wanted = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentDisposition": f'attachment; filename="{filename}"',
        }
        return self._client().generate_presigned_url("get_object", Params=wanted, ExpiresIn=seconds)

    def _upload(self, key: str, chunks: Iterable[bytes], media: str) -> None:
        """Send parts one after the other. An upload that is not completed shows nothing, and is given up."""
        where: Any = {"Bucket": self._bucket, "Key": key}
        upload = _call(lambda: self._client().create_multipart_upload(**where, ContentType=media))["UploadId"]
        try:
            sent: Any = []
            for number, chunk in enumerate(chunks, 1):
                tag = _call(
                    lambda body=chunk, number=number: self._client().upload_part(  # type: ignore[misc]
                        **where, UploadId=upload, PartNumber=number, Body=body
                    )
                )["ETag"]
                sent.append({"PartNumber": number, "ETag": tag})
            _call(
                lambda: self._client().complete_multipart_upload(
                    **where, UploadId=upload, MultipartUpload={"Parts": sent}
                )
            )
        except BaseException:
            # Its parts would be kept, and paid for, for a day: the bucket's lifecycle gives up what is left over.
            with suppress(ClientError, BotoCoreError):
                self._client().abort_multipart_upload(**where, UploadId=upload)
            raise


class _Seen:
    """Counts and hashes what passes through."""

    def __init__(self) -> None:
        self._size, self._digest = 0, hashlib.sha256()

    def through(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        for part in parts:
            self._size += len(part)
            self._digest.update(part)
            yield part

    @property
    def written(self) -> Written:
        return Written(self._size, self._digest.hexdigest())


def _regrouped(parts: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in chunks of one size; the last may be smaller."""
    waiting = bytearray()
    for part in parts:
        waiting += part
        while len(waiting) >= size:
            yield bytes(waiting[:size])
            del waiting[:size]
    if waiting:
        yield bytes(waiting)


def _call(send: Callable[[], T]) -> T:
    """Send one request and sort its failure; no text of AWS's is passed on, as it may quote the request."""
    try:
        return send()
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, BotoCoreError) or is_transient(error):
            raise StorageUnavailable(_UNREACHABLE, retry_after=5) from None
        if code_of(error) in _MISSING:
            raise ObjectMissing from None
        raise refusal(error) from None
