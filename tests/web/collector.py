"""The far end of the wire of traces: takes OTLP over HTTP, and keeps every octet of it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """`octets`: all that came; `spans` and `resources`: what that says."""

    def __init__(self) -> None:
        self.octets = b""
        self.spans: list[Span] = []
        self.resources: list[dict[str, str]] = []
        self.address = ""

    def take(self, path: str, body: bytes) -> None:
        assert path == "/v1/traces"
        self.octets += body
        told = ExportTraceServiceRequest.FromString(body)
        for each in told.resource_spans:
            known = {a.key: a.value.string_value for a in each.resource.attributes}
            self.resources.append(known)
            self.spans += [span for scope in each.scope_spans for span in scope.spans]

    def named(self, name: str) -> list[Span]:
        return [span for span in list(self.spans) if span.name == name]

    def wait_for(self, *names: str, seconds: float = 120.0) -> None:
        end = time.monotonic() + seconds
        while missing := [name for name in names if not self.named(name)]:
            assert time.monotonic() < end, (missing, sorted({span.name for span in self.spans}))
            time.sleep(0.05)


@contextmanager
def collecting() -> Iterator[Collector]:
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.take(self.path, body)
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportTraceServiceResponse().SerializeToString())

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
