"""Settings: secrets that stand in files, that are too weak, and that nobody may ever read."""

import os
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from scheduler import cli, config, secret_files
from scheduler.config import IN_FILES, load

STRONG = "correct horse battery staple and a stable"
GATEWAY = {"sms_url": "https://sms.example/", "zalo_url": "https://zalo.example/"}
VALUES = {
    "secret_key": STRONG,
    "former_secret_keys": f"{STRONG[::-1]},\n{STRONG.upper()}",
    "database_url": "postgresql://chungtay:hunter2@db.example/chungtay",
    "database_direct_url": "postgresql://chungtay:hunter3@db.example:5433/chungtay",
    "smtp_url": "smtp://chungtay:hunter2@mail.example:587",
    "sms_secret": f"{STRONG} for text messages",
    "zalo_secret": f"{STRONG} for Zalo",
}


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """No setting of this machine plays a part."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("CHUNGTAY_"):
            monkeypatch.delenv(name)


def kept(folder: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def plain(value: object) -> object:
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value


def faults(**overrides: object) -> str:
    with pytest.raises(ValidationError) as raised:
        load(**overrides)
    return "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize("name", IN_FILES)
@pytest.mark.parametrize("where", ["environment", ".env"])
def test_a_secret_may_stand_in_a_file_of_its_own(name, where, tmp_path, monkeypatch):
    path = kept(tmp_path, f"\n{VALUES[name]} \n")
    url = name.replace("_secret", "_url")
    more = {url: GATEWAY[url]} if url in GATEWAY else {}
    setting = f"CHUNGTAY_{name.upper()}_FILE"
    if where == ".env":
        Path(".env").write_text(f"{setting}={path}\n")
    else:
        monkeypatch.setenv(setting, str(path))
    assert plain(getattr(load(**more), name)) == VALUES[name]
    monkeypatch.setenv(f"CHUNGTAY_{name.upper()}", VALUES[name])
    if where == ".env":  # what is nearer wins, as for every setting
        assert plain(getattr(load(**more), name)) == VALUES[name]
    else:
        assert f"leave either CHUNGTAY_{name.upper()} or {setting}" in faults(**more)


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o777, 0o601])
def test_a_file_that_others_may_read_is_refused(mode, tmp_path, monkeypatch):
    path = kept(tmp_path, STRONG, mode)
    monkeypatch.setenv("CHUNGTAY_SECRET_KEY_FILE", str(path))
    said = faults()
    assert f"others may read {path}: run chmod 600 {path}" in said
    assert STRONG not in said


@pytest.mark.parametrize("content", ["", " \n", b"\xff\xfe\x00" * 20, "x" * 70_000])
def test_a_file_without_a_secret_is_refused(content, tmp_path, monkeypatch):
    monkeypatch.setenv("CHUNGTAY_SECRET_KEY_FILE", str(kept(tmp_path, content)))
    assert "secret holds no" in faults()


def test_a_file_that_is_none_is_refused(tmp_path, monkeypatch):
    for path, sentence in ((tmp_path / "no", "No such file"), (tmp_path, "Is a directory")):
        monkeypatch.setenv("CHUNGTAY_SECRET_KEY_FILE", str(path))
        assert f"{path} cannot be read: {sentence}" in faults()


WEAK = {
    "short": "x" * 5 + "correct horse battery",
    "one letter": "k" * 64,
    "few letters": "abab" * 16,
    "changeme": "changeme" * 5,
    "change-me": "please-CHANGE-ME-before-production-use",
    "change me": "change me change me change me change me",
    "the digits": "0123456789abcdef0123456789abcdef",
    "your secret": "your-secret-key-of-32-bytes-goes-in-here",
}


@pytest.mark.parametrize("key", WEAK.values(), ids=WEAK)
def test_a_weak_or_known_key_is_refused_wherever_it_stands(key, tmp_path, monkeypatch):
    said = [faults(secret_key=key), faults(former_secret_keys=f"{STRONG},{key}")]
    monkeypatch.setenv("CHUNGTAY_SECRET_KEY_FILE", str(kept(tmp_path, key)))
    said.append(faults())
    monkeypatch.delenv("CHUNGTAY_SECRET_KEY_FILE")
    (tmp_path / "var").mkdir()
    kept(tmp_path / "var", key).rename(tmp_path / "var" / "secret.key")
    with pytest.raises(secret_files.BadSecretFile) as raised:
        config.secret_key(load())
    said.append(str(raised.value))
    for each in said:
        assert "at least 32 bytes" in each or "known to everybody" in each
        assert key not in each
        assert STRONG not in each


def test_our_own_key_is_made_once_and_for_ourselves_alone(tmp_path):
    first = config.secret_key(load())
    path = tmp_path / "var" / "secret.key"
    assert (config.secret_key(load()), path.stat().st_mode & 0o777) == (first, 0o600)
    assert [each.name for each in (tmp_path / "var").iterdir()] == ["secret.key"]
    path.chmod(0o644)
    with pytest.raises(secret_files.BadSecretFile, match="others may read"):
        config.secret_key(load())


def test_of_many_that_begin_at_once_all_have_the_same_key(tmp_path):
    for turn in range(20):
        given, start = load(var_dir=tmp_path / str(turn)), threading.Barrier(8)

        def begin(given=given, start=start) -> bytes:
            start.wait()
            return config.secret_key(given)

        with ThreadPoolExecutor(8) as pool:
            keys = {each.result() for each in [pool.submit(begin) for _ in range(8)]}
        assert len(keys) == 1


def test_former_keys_are_read_in_their_order():
    given = load(former_secret_keys=f" {STRONG},\n{STRONG[::-1]}\n,")
    assert config.former_keys(given) == (STRONG.encode(), STRONG[::-1].encode())
    assert config.former_keys(load()) == ()


def test_no_secret_is_in_what_settings_show_of_themselves():
    given = load(**VALUES, **GATEWAY)
    for shown in (repr(given), str(given), f"{given!r}", str(given.model_dump())):
        assert STRONG not in shown
        assert STRONG[::-1] not in shown
    assert "hunter2" not in repr(given)


@pytest.mark.parametrize("arguments", [["doctor"], ["serve"], ["demo", "--check"], ["worker"]])
def test_a_start_that_fails_names_the_setting_and_no_secret(arguments, monkeypatch):
    for name, value in VALUES.items():
        monkeypatch.setenv(f"CHUNGTAY_{name.upper()}", f"?{value[:20]}")
    result = CliRunner().invoke(cli.main, arguments)
    assert result.exit_code == 1
    assert "CHUNGTAY_SECRET_KEY: the secret key needs at least 32 bytes" in result.output
    assert "Traceback" not in result.output
    for value in VALUES.values():
        assert value[1:20] not in result.output


def test_a_kept_key_that_others_may_read_stops_each_command(tmp_path):
    config.secret_key(load())
    path = Path("var/secret.key")
    path.chmod(0o640)
    result = CliRunner().invoke(cli.main, ["doctor"])
    assert result.exit_code == 1
    assert result.output == f"others may read {path}: run chmod 600 {path}\n"


@pytest.mark.parametrize("value", ["xml", "JSON", "plain "])
def test_a_log_is_json_or_plain(value):
    assert "the log is json or plain" in faults(log_format=value)
