"""ClickHouse's HTTP interface over chDB, which is ClickHouse as a library: the SQL of the engine, without its server.

python clickhouse_http.py PORT FOLDER PASSWORD

One query at a time, in one session; what a request sets holds for that request.
"""

import base64
import gzip
import hmac
import re
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from chdb.session import Session

NO_SETTINGS = {
    "query", "database", "default_format", "session_id", "session_timeout", "session_check", "query_id", "user",
    "password", "compress", "decompress", "enable_http_compression", "client_protocol_version", "quota_key", "role",
    "wait_end_of_query", "buffer_size",
}  # fmt: skip
"""Parameters of a request that are the protocol's, not the engine's."""

FORMAT = re.compile(r"\bformat\s+(\w+)\s*$", re.IGNORECASE)
INSERT_WITH_DATA = re.compile(rb"(?is)(\s*(?:/\*.*?\*/\s*)?insert\s+into\s.*?\bformat\s+\w+)[ \t;]*\n(.*)")
TEMPORARY = re.compile(r"(?is)^\s*(?:/\*.*?\*/\s*)?create\s+temporary\s+table\s+(?:if\s+not\s+exists\s+)?(\S+)")
ERROR_CODE = re.compile(r"Code: (\d+)")


class Engine:
    """A chDB session that takes one request at a time."""

    def __init__(self, folder: Path) -> None:
        self.session = Session(str(folder))
        self.lock = threading.Lock()

    def answer(self, sql: str, data: bytes, parameters: dict[str, str], default_format: str) -> tuple[str, bytes]:
        """The format and the rows in it. `data` is what an insert brings."""
        settings = {name: value for name, value in parameters.items() if name not in NO_SETTINGS}
        with self.lock:
            self.session.query(f"use `{parameters.get('database') or 'default'}`")
            for name, value in settings.items():
                self.session.query(f"set {name} = '{value}'")
            try:
                return self._run(sql.strip().rstrip(";"), data, default_format)
            finally:
                for name in settings:
                    self.session.query(f"set {name} = default")

    def _run(self, sql: str, data: bytes, default_format: str) -> tuple[str, bytes]:
        if temporary := TEMPORARY.match(sql):
            # there is one session for all
            self.session.query(f"drop temporary table if exists {temporary[1]}")
        if data:
            return default_format, self._insert(sql, data)
        chosen = FORMAT.search(sql)
        if chosen:
            sql, default_format = sql[: chosen.start()], chosen[1]
        return default_format, self.session.query(sql, default_format).bytes() or b""

    def _insert(self, sql: str, data: bytes) -> bytes:
        chosen = FORMAT.search(sql)
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            head = sql[: chosen.start()] if chosen else sql
            self.session.query(f"{head} from infile '{file.name}' format {chosen[1] if chosen else 'TabSeparated'}")
        return b""


def handler(engine: Engine, password: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            if self.path.startswith("/ping"):
                self.reply(200, b"Ok.\n", {})
            else:
                self.run(b"")

        def do_POST(self) -> None:
            body = self.chunks() if self.headers.get("Transfer-Encoding") == "chunked" else self.body()
            self.run(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)

        def body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def chunks(self) -> bytes:
            data = b""
            while length := int(self.rfile.readline(), 16):
                data += self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()
            return data

        def is_known(self, parameters: dict[str, str]) -> bool:
            given = parameters.get("password") or self.headers.get("X-ClickHouse-Key") or ""
            if not given and (basic := self.headers.get("Authorization", "")).startswith("Basic "):
                given = base64.b64decode(basic[6:]).decode().partition(":")[2]
            return hmac.compare_digest(given, password)

        def run(self, body: bytes) -> None:
            query = urlparse(self.path).query
            parameters = {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
            if not self.is_known(parameters):
                return self.reply(403, b"Code: 516. wrong password", {"X-ClickHouse-Exception-Code": "516"})
            if "query" in parameters:
                sql, data = parameters["query"], body
            elif insert := INSERT_WITH_DATA.fullmatch(body):
                sql, data = insert[1].decode(), insert[2]
            else:
                sql, data = body.decode(), b""
            default_format = (
                parameters.get("default_format") or self.headers.get("X-ClickHouse-Format") or "TabSeparated"
            )
            try:
                chosen, rows = engine.answer(sql, data, parameters, default_format)
            except Exception as error:
                code = ERROR_CODE.search(str(error))
                return self.reply(
                    500, str(error).encode(), {"X-ClickHouse-Exception-Code": code[1] if code else "1000"}
                )
            return self.reply(200, rows, {"X-ClickHouse-Format": chosen, "X-ClickHouse-Timezone": "UTC"})

        def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body)), "X-ClickHouse-Summary": "{}"} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return Handler


if __name__ == "__main__":
    port, folder, password = sys.argv[1:]
    ThreadingHTTPServer(("127.0.0.1", int(port)), handler(Engine(Path(folder)), password)).serve_forever()
