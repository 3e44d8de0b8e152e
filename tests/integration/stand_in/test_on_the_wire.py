"""Faults, limits and time as a client on a socket meets them."""

import asyncio
import http.client
import json
import time
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import pytest

from stand_in_gitlab.process import Running, running
from tests.integration.stand_in.conftest import rows


def test_a_connection_is_kept(server: Running) -> None:
    address = urlsplit(server.base)
    line = http.client.HTTPConnection(address.netloc, timeout=60)
    ports = set()
    for _ in range(3):
        line.request("GET", "/api/v4/version", headers={"PRIVATE-TOKEN": server.tokens["admin"]})
        assert json.load(line.getresponse())["version"]
        ports.add(line.sock.getsockname())
    assert len(ports) == 1
    line.close()


def test_every_answer_has_the_server_s_time_and_a_request_id(server: Running, client: httpx.Client) -> None:
    first, second = client.get("/user"), client.get("/user")
    assert first.headers["date"] == "Mon, 21 Sep 2026 14:13:20 GMT"
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert first.headers["content-type"] == "application/json"


@pytest.mark.parametrize(("rule", "status", "content_type"), [
    ({"kind": "status", "status": 500}, 500, "application/json"),
    ({"kind": "status", "status": 503}, 503, "application/json"),
    ({"kind": "html_502"}, 502, "text/html; charset=utf-8"),
    ({"kind": "html_200"}, 200, "text/html; charset=utf-8"),
    ({"kind": "unauthorized"}, 401, "application/json"),
    ({"kind": "status", "status": 403}, 403, "application/json"),
    ({"kind": "status", "status": 404}, 404, "application/json"),
    ({"kind": "rate_limited", "retry_after": 7}, 429, "text/plain"),
    ({"kind": "endpoint_limited"}, 429, "application/json"),
])  # fmt: skip
def test_answers_of_other_kinds(
    clean: Running, client: httpx.Client, rule: dict[str, object], status: int, content_type: str
) -> None:
    clean.fault(path="/user$", **rule)  # type: ignore[arg-type]  # `kind` is among the rule's members
    clean.control("DELETE", "stats")
    got = client.get("/user")
    assert (got.status_code, got.headers["content-type"]) == (status, content_type)
    assert clean.control("GET", "stats")["by_status"] == {str(status): 1}
    assert got.headers.get("retry-after") == ("7" if rule["kind"] == "rate_limited" else None)
    assert client.get("/user").status_code == 200


@pytest.mark.parametrize(("kind", "problem"), [("truncated", httpx.RemoteProtocolError), ("reset", httpx.ReadError)])
def test_connections_that_break(clean: Running, client: httpx.Client, kind: str, problem: type[Exception]) -> None:
    clean.fault(kind)
    with pytest.raises(problem):
        client.get("/users")
    assert client.get("/users").status_code == 200


@pytest.mark.parametrize(("kind", "hooks"), [("status", 0), ("reset", 1)])
def test_a_write_may_be_done_although_its_answer_is_lost(clean: Running, kind: str, hooks: int) -> None:
    url = f"https://hub.test/{kind}"
    clean.fault(kind, method="POST")
    headers = {"Authorization": f"Bearer {clean.tokens['admin']}"}
    with (
        httpx.Client(base_url=f"{clean.base}/api/v4", headers=headers, trust_env=False) as client,
        suppress(httpx.ReadError),
    ):
        client.post("/projects/2/hooks", json={"url": url})
    assert len([row for row in clean.truth("hooks") if row["url"] == url]) == hooks


def test_a_body_that_drips_outlasts_every_read_timeout(clean: Running, client: httpx.Client) -> None:
    clean.fault("drip", seconds=0.05)
    began, seen = time.monotonic(), 0
    with client.stream("GET", "/user", timeout=2) as answer:
        for chunk in answer.iter_raw():
            seen += len(chunk)
            if time.monotonic() - began > 2.5:
                break
    assert 0 < seen < int(answer.headers["content-length"])


def test_a_slow_answer_is_late(clean: Running, client: httpx.Client) -> None:
    clean.fault("slow", seconds=2)
    with pytest.raises(httpx.ReadTimeout):
        client.get("/user", timeout=0.2)


def test_a_bomb_is_small_on_the_wire(clean: Running, client: httpx.Client) -> None:
    clean.fault("gzip_bomb", size=2_000_000)
    got = client.get("/users")
    assert int(got.headers["content-length"]) < 20_000
    assert len(got.content) > 1_900_000


def test_nesting_without_end(clean: Running, client: httpx.Client) -> None:
    clean.fault("deep_json", depth=100_000)
    with pytest.raises(RecursionError):
        client.get("/users").json()


def test_an_empty_list_looks_well(clean: Running, client: httpx.Client) -> None:
    clean.fault("empty_list", path="/groups")
    got = client.get("/groups")
    assert (rows(got), got.headers["x-next-page"]) == ([], "")


def test_links_that_lead_away_or_around(clean: Running, client: httpx.Client) -> None:
    clean.fault("foreign_link", path="/users")
    got = client.get("/users?per_page=5")
    assert got.links["next"]["url"] == "https://evil.example/api/v4/users?page=2&per_page=5"
    assert "x-next-page" not in got.headers
    for query in ("per_page=5&page=2", "per_page=5&pagination=keyset"):
        clean.fault("looped_link", path="/users")
        got = client.get(f"/users?{query}")
        assert got.links["next"]["url"] == str(got.request.url)


def test_lists_that_look_well(clean: Running, client: httpx.Client) -> None:
    first, second = rows(client.get("/users?per_page=5")), rows(client.get("/users?per_page=5&page=2"))
    clean.fault("stripped", path="/users")
    assert not {"link", "x-next-page", "x-total", "x-page"} & client.get("/users?per_page=5").headers.keys()
    clean.fault("first_page", path="/users")
    assert rows(client.get("/users?per_page=5&page=2")) == first != second
    clean.fault("short_page", path="/users")
    assert rows(client.get("/users?per_page=5&page=2")) == second[:2]
    clean.fault("relabelled", path="/users", status=206)
    got = client.get("/users?per_page=5")
    assert (got.status_code, got.json()) == (206, first)
    clean.fault("odd_row", path="/users", row=1, fields={"name": None, "username": "-"})
    odd = rows(client.get("/users?per_page=5"))[1]
    assert odd["name"] is None
    assert "username" not in odd


def test_a_fault_on_one_page_only(clean: Running, client: httpx.Client) -> None:
    clean.fault("html_502", path="/users$", query=r"\bpage=2\b")
    assert [client.get(f"/users?per_page=5&page={page}").status_code for page in (1, 2, 3)] == [200, 502, 200]


def test_a_redirect_names_another_host(clean: Running, client: httpx.Client) -> None:
    clean.fault("redirect", location="http://127.0.0.1:9/steal")
    got = client.get("/user")
    assert (got.status_code, got.headers["location"]) == (302, "http://127.0.0.1:9/steal")


def test_json_that_ends_early(clean: Running, client: httpx.Client) -> None:
    clean.fault("broken_json")
    with pytest.raises(json.JSONDecodeError):
        client.get("/users").json()


def test_a_wrong_rule_says_why(clean: Running) -> None:
    got = httpx.post(f"{clean.base}/__standin__/faults", json={"kind": "status", "path": "("}, trust_env=False)
    assert got.status_code == 400
    assert "no regular expression" in got.json()["error"]


def test_limits_on_the_wire(clean: Running, client: httpx.Client) -> None:
    endpoint = {"path": "/projects/1$", "limit": 1, "period": 600}
    clean.control("POST", "limits", {"general": {"limit": 4, "period": 3600}, "endpoints": [endpoint]})
    assert client.get("/projects/1").headers["ratelimit-remaining"] == "3"
    limited = client.get("/projects/1")
    assert limited.status_code == 429
    assert limited.headers["content-type"] == "application/json"
    assert not {"retry-after", "ratelimit-limit"} & set(limited.headers)
    assert [client.get("/user").status_code for _ in range(3)] == [200, 200, 429]
    late = client.get("/user")
    assert late.text == "Retry later\n"
    assert 0 < int(late.headers["retry-after"]) <= 3601
    # A second token of the same user buys nothing.
    assert client.get("/user", headers={"Authorization": f"Bearer {clean.tokens['admin']}"}).status_code == 429
    assert client.get("/user", headers={"Authorization": f"Bearer {clean.tokens['group']}"}).status_code == 200


async def test_what_was_asked_is_counted(clean: Running) -> None:
    clean.control("DELETE", "stats")
    clean.control("POST", "latency", {"ms": 100})
    headers = {"Authorization": f"Bearer {clean.tokens['admin-read']}"}
    async with httpx.AsyncClient(base_url=f"{clean.base}/api/v4", headers=headers, trust_env=False) as client:
        await asyncio.gather(*(client.get(f"/projects/{number}") for number in range(1, 9)), client.get("/user"))
    stats = clean.control("GET", "stats?recent=1")
    assert stats["by_path"] == {"GET /projects/*": 8, "GET /user": 1}
    assert stats["by_status"] == {"200": 9}
    assert 2 <= stats["in_flight_max"] <= 9
    assert stats["in_flight"] == 0
    assert stats["recent"][0]["fault"] is None


def test_below_a_relative_root() -> None:
    with running("--root-path", "/gitlab", "--users", "5", "--groups", "2", "--projects", "2", "--frozen") as server:
        assert server.base.endswith("/gitlab")
        headers = {"Authorization": f"Bearer {server.tokens['admin-read']}"}
        got = httpx.get(f"{server.base}/api/v4/users?per_page=2", headers=headers, trust_env=False)
        assert got.links["next"]["url"].startswith(f"{server.base}/api/v4/users?")
        assert rows(httpx.get(got.links["next"]["url"], headers=headers, trust_env=False))
        outside = httpx.get(server.base.removesuffix("/gitlab") + "/api/v4/users", headers=headers, trust_env=False)
        assert (outside.status_code, outside.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert server.control("GET", "health") == {"ok": True}


def test_time_moves_on_demand() -> None:
    with running("--users", "10", "--groups", "3", "--projects", "10", "--frozen", "--epoch", "1790000000") as server:
        before = server.control("GET", "ground-truth")["counts"]
        moved = server.control("POST", "advance", {"seconds": 200_000})
        after = server.control("GET", "ground-truth")["counts"]
        assert moved["now"] == 1_790_200_000
        assert after["pipelines"] > before["pipelines"]
        assert server.control("POST", "clock", {"frozen": False})["now"] >= 1_790_200_000
