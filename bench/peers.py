"""Other programs that serve the same calendar: Radicale, and nginx with a file."""

import gzip
import io
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from radicale import app as radicale
from radicale import config as radicale_config

from bench.load import Server, until_it_listens
from bench.rows import Row, tell

FEW = 100
NGINX = """daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  keepalive_requests 1000000;
  keepalive_timeout 600;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ root {folder}/static; default_type text/calendar; }}
  }}
}}
"""
STATIC = "/lich.ics"


@contextmanager
def nginx(folder: Path, body: bytes) -> Iterator[tuple[Server, str] | None]:
    """A file of those bytes, served in one process, and its ETag; None where there is no nginx."""
    program = shutil.which("nginx")
    if program is None:
        yield None
        return
    place = folder / "nginx"
    (place / "static").mkdir(parents=True)
    (place / "static").joinpath(STATIC[1:]).write_bytes(body)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    (place / "nginx.conf").write_text(NGINX.format(folder=place, port=port))
    command = [program, "-e", str(place / "nginx.log"), "-c", str(place / "nginx.conf")]
    process = subprocess.Popen(command)
    try:
        until_it_listens(port)
        etag = httpx2.get(f"http://127.0.0.1:{port}{STATIC}").headers["etag"]
        server = Server(process, port)
        yield server, etag
        server.close()
    finally:
        process.terminate()
        process.wait(20)


def radicale_rows(folder: Path, body: bytes) -> Iterator[Row]:
    """The same calendar from Radicale, called without a server: its own would cost more."""
    settings = radicale_config.load()
    store = {"type": "multifilesystem", "filesystem_folder": str(folder / "radicale")}
    settings.update(
        {"storage": store, "auth": {"type": "none"}, "rights": {"type": "authenticated"},
         "logging": {"level": "critical"}}, "bench",
    )  # fmt: skip
    peer = radicale.Application(settings)
    status, _, _ = _wsgi(peer, "PUT", gzip.decompress(body))
    assert status.startswith("201"), status
    _, headers, _ = _wsgi(peer, "GET")
    for name, more in (
        ("304", {"HTTP_IF_NONE_MATCH": headers["ETag"]}),
        ("200", {"HTTP_ACCEPT_ENCODING": "gzip"}),
    ):
        began = time.process_time()
        for _ in range(FEW):
            status, _, _ = _wsgi(peer, "GET", **more)
        cost = (time.process_time() - began) / FEW * 1e6
        said = "" if status.startswith(name) else f", it answers {status[:3]}"
        tell(f"Radicale {name}: {cost:,.0f} µs{said}")
        what = f"{name}, Radicale, without a server"
        yield Row(what, f"{cost:,.0f} µs{said}", key=f"{name}-radicale")


def _wsgi(
    peer: Callable[..., Any], method: str, body: bytes = b"", **more: str
) -> tuple[str, dict[str, str], bytes]:
    said: list[Any] = []
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": "/bench/lich.ics/", "SCRIPT_NAME": "",
        "CONTENT_TYPE": "text/calendar; charset=utf-8", "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http",
        "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1", "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_AUTHORIZATION": "Basic YmVuY2g6YmVuY2g=", **more,
    }  # fmt: skip

    def start(*given: Any) -> None:
        said.extend(given)

    answer = b"".join(peer(environ, start))
    return said[0], dict(said[1]), answer
