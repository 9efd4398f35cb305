"""ClickHouse as a library, behind an HTTP front."""

import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import yaml

from servers.engine import Engine, Row, end, free_port, statements, wait_for


@contextmanager
def clickhouse_engine(folder: Path) -> Iterator[Engine]:
    """ClickHouse of the wheel chdb behind its HTTP interface, with the settings of the dbt target."""
    import clickhouse_connect

    home = folder / "clickhouse"
    data, log = home / "data", home / "server.log"
    home.mkdir()
    password, port = secrets.token_hex(16), free_port()
    profile = yaml.safe_load((Path(__file__).parents[3] / "profiles.yml").read_text())["llm_spend"]
    settings = profile["outputs"]["clickhouse"]["custom_settings"]

    def started() -> subprocess.Popen:
        with log.open("ab") as output:
            server = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("clickhouse_http.py"), str(port), data, password],
                stdout=output, stderr=output, cwd=home,
            )  # fmt: skip
        wait_for(lambda: urlopen(f"http://127.0.0.1:{port}/ping").close(), OSError, server, log)
        return server

    def connected() -> clickhouse_connect.driver.Client:
        return clickhouse_connect.get_client(
            host="127.0.0.1", port=port, username="default", password=password, settings=settings,
            autogenerate_session_id=False, compress=False,
        )  # fmt: skip

    def execute(sql: str) -> None:
        with connected() as client:
            for statement in statements(sql):
                client.command(statement)

    def query(sql: str) -> tuple[list[str], list[Row]]:
        with connected() as client:
            found = client.query(sql)
            if not found.column_names:
                # an answer without rows names its columns only where none are asked for
                found = client.query(f"select * from ({sql}) limit 0")
            return list(found.column_names), list(found.result_rows)

    def insert(table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        with connected() as client:
            client.insert(table, rows, column_names=columns)

    def keep() -> None:
        nonlocal server
        end(server)
        shutil.copytree(data, home / "kept", symlinks=True)
        server = started()

    def restore() -> None:
        nonlocal server
        end(server)
        shutil.rmtree(data)
        shutil.copytree(home / "kept", data, symlinks=True)
        server = started()

    server = started()
    try:
        environment = {
            "LLM_SPEND_CLICKHOUSE_HOST": "127.0.0.1",
            "LLM_SPEND_CLICKHOUSE_PORT": str(port),
            "LLM_SPEND_CLICKHOUSE_USER": "default",
            "LLM_SPEND_CLICKHOUSE_PASSWORD": password,
        }
        yield Engine("clickhouse", environment, execute, query, insert, keep, restore)
    finally:
        end(server)
