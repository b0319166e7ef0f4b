"""What is handed out to those who install: held to the program that it starts and watches."""

import re
from pathlib import Path

import pytest
from click import Context

from scheduler.cli import main
from scheduler.commands.keeping import backup
from scheduler.config import IN_FILES, Settings

DEPLOY = Path(__file__).parents[1] / "deploy"
COMMANDS = set(main.list_commands(Context(main)))
FILES = sorted(path for path in DEPLOY.iterdir() if path.is_file())
KEYS = (
    "/sign-in/Xk3v_9Qd-LmZ1rT8wYbN4cHs6JpF2gVaE0uRiO7tKxM",
    "/feeds/b7Qw-ZkT2_xN9vLmR4cHs6JpF0gVaE1uDiO8tKyXfWz/lessons.ics",
    "/j/idHwW5hVEH81yZfdxCfe1dHT",
    "/r/eyJhbGciOiJIUzI1NiJ9.eyJsZXNzb24iOjQxfQ.c2lnbmVkLWJ5LXVz",
)
PLAIN = ("/coordinator/week?week=2023-10-02", "/school/lessons/41/call-off", "/static/app.js")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(path):
    known = {name.upper() for name in Settings.model_fields}
    known |= {f"{name.upper()}_FILE" for name in IN_FILES} | {"UPSTREAM"}  # Caddy's own
    assert set(re.findall(r"CHUNGTAY_([A-Z][A-Z_]*[A-Z])", path.read_text())) <= known


@pytest.mark.parametrize("path", sorted(DEPLOY.glob("*.service")), ids=lambda path: path.name)
def test_every_command_that_a_service_starts_exists(path):
    started = re.findall(r"bin/chungtay ([a-z-]+)", path.read_text())
    assert started
    assert set(started) <= COMMANDS


def test_the_containers_start_commands_that_exist():
    started = re.findall(r"command: \[([a-z]+)", (DEPLOY / "compose.yaml").read_text())
    assert set(started) == {"migrate", "serve", "worker", "backup"} <= COMMANDS


def test_the_container_has_the_tools_of_the_server_that_it_is_sent_to():
    server = re.search(r"image: docker.io/library/postgres:(\d+)", read("compose.yaml"))[1]
    assert f"postgresql-client-{server}" in read("Containerfile")


@pytest.mark.parametrize("name", ["chungtay-backup.service", "compose.yaml"])
def test_each_way_to_install_keeps_backups_where_the_doctor_looks(name):
    """With the options that the command has."""
    assert re.search(r"backup,? --into,? /var/lib/chungtay/backups", read(name))
    told = set(re.findall(r"--[a-z-]+", "\n".join(re.findall(r"backup,? --into.*", read(name)))))
    assert told <= {option for each in backup.params for option in each.opts}


def caddy(path):
    pattern, said = re.search(r'request>uri regexp "(.*)" "(.*)"', read("Caddyfile")).groups()
    return re.sub(pattern, said, path)


def nginx(path):
    for pattern, said in re.findall(r'^map .*?"~(\S+)" "(\S+)"', read("nginx.conf"), re.MULTILINE):
        path = re.sub(pattern, re.sub(r"\$(\d)", r"\\\1", said), path, count=1)
    return path


def read(name):
    return (DEPLOY / name).read_text()


@pytest.mark.parametrize("logged", [caddy, nginx])
@pytest.mark.parametrize("path", KEYS)
def test_no_log_of_a_proxy_holds_a_key(logged, path):
    secret = path.split("/")[2]
    told = logged(path)
    assert "[redacted]" in told
    assert not any(piece in told for piece in secret.split(".") if len(piece) >= 16)


@pytest.mark.parametrize("logged", [caddy, nginx])
@pytest.mark.parametrize("path", PLAIN)
def test_what_is_no_key_stays_in_the_log(logged, path):
    assert logged(path) == path
