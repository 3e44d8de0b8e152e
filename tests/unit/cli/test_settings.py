"""Where the address and the token come from, and that the token goes nowhere else."""

import json
import stat
from pathlib import Path

import pytest

from hub_cli.problems import Problem, WrongUsage
from hub_cli.settings import Login, Settings, checked_address

URL, TOKEN = "https://hub.example.com", "ghub_me_0123456789abcdef"


def settings(folder: Path, **environ: str) -> Settings:
    return Settings({"XDG_CONFIG_HOME": str(folder), **environ})


def test_a_login_is_kept_for_this_user_alone_and_replaced_whole(tmp_path: Path) -> None:
    kept = settings(tmp_path / "new")
    kept.store(Login("https://old.example.com", "ghub_old_1"))
    kept.store(Login(URL, TOKEN))
    assert kept.login() == Login(URL, TOKEN)
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert [one.name for one in kept.path.parent.iterdir()] == ["login.json"]
    assert TOKEN not in repr(kept.login())


def test_without_xdg_it_lies_below_the_home(tmp_path: Path) -> None:
    assert Settings({"HOME": str(tmp_path)}).path == tmp_path / ".config" / "gitlab-hub" / "login.json"


def test_the_environment_comes_before_what_is_kept(tmp_path: Path) -> None:
    settings(tmp_path).store(Login(URL, TOKEN))
    assert settings(tmp_path, HUB_TOKEN="ghub_other_1").login() == Login(URL, "ghub_other_1")
    assert settings(tmp_path, HUB_URL=f"{URL}/").login() == Login(URL, TOKEN)
    both = settings(tmp_path, HUB_URL="https://two.example.com", HUB_TOKEN="t")
    assert both.login() == Login("https://two.example.com", "t")


def test_a_kept_token_never_goes_to_another_hub(tmp_path: Path) -> None:
    settings(tmp_path).store(Login(URL, TOKEN))
    with pytest.raises(WrongUsage, match=r"no token for https://other\.example\.com"):
        settings(tmp_path, HUB_URL="https://other.example.com").login()


def test_nobody_is_logged_in_at_first_and_not_after_a_logout(tmp_path: Path) -> None:
    kept = settings(tmp_path)
    assert kept.remove() is False
    kept.store(Login(URL, TOKEN))
    assert kept.remove() is True
    with pytest.raises(WrongUsage, match="not logged in"):
        kept.login()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_can_read_is_not_used(tmp_path: Path, mode: int) -> None:
    kept = settings(tmp_path)
    kept.store(Login(URL, TOKEN))
    kept.path.chmod(mode)
    with pytest.raises(Problem) as refused:
        kept.login()
    assert (TOKEN in str(refused.value), refused.value.hint) == (False, f"chmod 600 {kept.path}")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"url": "https://hub.example.com"}', b"\x00", b"\xff\xfe"])
def test_a_broken_file_is_said_to_be_one(tmp_path: Path, content: bytes) -> None:
    kept = settings(tmp_path)
    kept.store(Login(URL, TOKEN))
    kept.path.write_bytes(content)
    with pytest.raises(Problem, match="holds no login"):
        kept.login()


def test_where_nothing_can_be_kept_or_removed_it_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem, match="cannot be written"):
        settings(tmp_path / "file").store(Login(URL, TOKEN))
    kept = settings(tmp_path)
    kept.path.mkdir(parents=True)
    with pytest.raises(Problem, match="cannot be written"):
        kept.store(Login(URL, TOKEN))
    assert [one.name for one in kept.path.parent.iterdir()] == ["login.json"]
    with pytest.raises(Problem, match="cannot be removed"):
        kept.remove()


def test_a_kept_address_is_checked_like_any_other(tmp_path: Path) -> None:
    kept = settings(tmp_path)
    kept.store(Login(URL, TOKEN))
    kept.path.write_text(json.dumps({"url": "http://hub.example.com", "token": TOKEN}))
    with pytest.raises(WrongUsage, match="not encrypted"):
        kept.login()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8787", "http://localhost:1", "https://hub.example.com/stage"])
def test_an_address_is_taken_as_it_is(url: str) -> None:
    assert checked_address(f" {url}/ ") == url


@pytest.mark.parametrize(
    "url",
    [
        "", "hub.example.com", "ftp://hub.example.com", "https://", "https://me:pw@hub.example.com", "https://h?x=1",
        "https://h#x", "http://hub.example.com", "http://10.0.0.1", "https://h:99999", "http://localhost.example.com",
    ],
)  # fmt: skip
def test_what_is_no_address_or_encrypts_nothing_is_refused(url: str) -> None:
    with pytest.raises(WrongUsage):
        checked_address(url)
