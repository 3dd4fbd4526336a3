"""Every setting and every limit, in one place, unit last in the name.

Each is also an environment variable: `MOORING_` and the name in capitals (`MOORING_UPLOAD_SIZE_MAX_BYTES`).
`docs/server.md` lists them for operators.
"""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

_HOST_PORT = re.compile(r"([^\s:/\[\]]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})")
_PORT_MAX = 65_535


class Auth(StrEnum):
    """How callers prove who they are."""

    NONE = "none"
    TOKEN = "token"  # noqa: S105 - the name of a kind


def _rate(text: str) -> str:
    if text:
        from limits import parse_many  # here: it is slow to load, and seldom anybody sets a rate

        try:
            usable = all(item.amount for item in parse_many(text))
        except ValueError:
            usable = False
        if not usable:
            raise PydanticCustomError(
                "rate",
                "it must be a number of calls per second, minute, hour or day, such as `100/second` or "
                "`20/second;600/minute`, or empty for any number",
            )
    return text


def _host_port(text: str) -> str:
    address = _HOST_PORT.fullmatch(text)
    if text and not (address and int(address[2]) <= _PORT_MAX):
        raise PydanticCustomError(
            "address", "it must be host:port, such as `127.0.0.1:9464`, or empty for none"
        )
    return text


Rate = Annotated[str, AfterValidator(_rate), Field(validate_default=False)]
HostPort = Annotated[str, AfterValidator(_host_port)]


class Settings(BaseSettings):
    """The service's settings; immutable once read."""

    model_config = SettingsConfigDict(env_prefix="MOORING_", frozen=True, extra="forbid")

    database: str = Field("", description="sqlite:///file or postgresql://…; empty: the user's data folder")
    host: str = Field("127.0.0.1", description="The address to listen on")
    port: int = Field(50051, ge=0, le=65535, description="The port to listen on; 0 takes a free one")
    auth: Auth = Field(Auth.NONE, description="`token`: API tokens; `none` is allowed on loopback alone")
    tls_cert_file: Path | None = Field(None, description="The certificate chain to serve TLS with, PEM")
    tls_key_file: Path | None = Field(None, description="Its private key, PEM")
    tls_by_proxy: bool = Field(False, description="A proxy ends TLS in front of a plain address")
    metrics_address: HostPort = Field("", description="host:port for Prometheus, without TLS; empty: none")
    reflection: bool = Field(False, description="Answer gRPC server reflection")
    log_format: str = Field(
        "auto", pattern="^(auto|json|console)$", description="auto: console on a terminal"
    )
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="The least that is logged"
    )

    read_rate: Rate = Field("2000/second", description="Calls of one user that read; empty: any number")
    write_rate: Rate = Field("500/second", description="Calls of one user that change something")
    bulk_rate: Rate = Field("120/minute", description="Uploads, previews, imports and bulk reads of one user")
    watch_rate: Rate = Field("50/second", description="Watches that one user opens")
    watches_per_user_max: int = Field(200, ge=1, description="Watches that one user has open")
    call_time_max_s: float = Field(60.0, gt=0, description="The longest that a call may take")
    upload_time_max_s: float = Field(900.0, gt=0, description="The longest that an upload may take")
    metadata_size_max_bytes: int = Field(
        16 * 2**10, ge=2**10, description="The largest metadata that is read"
    )
    streams_per_connection_max: int = Field(1_000, ge=1, description="Calls open on one connection")
    keepalive_time_s: float = Field(30.0, gt=0, description="Silence after which a connection is tried")
    keepalive_timeout_s: float = Field(20.0, gt=0, description="How long it may take to answer that")
    ping_interval_min_s: float = Field(10.0, gt=0, description="The shortest between a client's pings")
    lookup_cache_max: int = Field(10_000, ge=0, description="Engagements, roles and tokens kept in memory")
    lookup_refresh_s: float = Field(
        0.5, gt=0, description="How often what is kept in memory is compared with the change log"
    )
    filter_length_max: int = Field(2_000, ge=1, description="Characters of a filter")
    filter_depth_max: int = Field(20, ge=1, description="How deep a filter may nest")
    filter_terms_max: int = Field(50, ge=1, description="Comparisons and words of a filter")
    examined_rows_max: int = Field(20_000, ge=1_001, description="Rows that a page looks at")
    passed_rows_max: int = Field(1_000_000, ge=1, description="Rows that are passed over before a page")
    counted_rows_max: int = Field(10_000, ge=1, description="Rows that a filtered total counts")
    page_size_default: int = Field(50, ge=1, description="Items of a page when the request does not say")
    page_size_max: int = Field(1_000, ge=1, description="The most items of a page; more are not given")
    message_size_max_bytes: int = Field(8 * 2**20, ge=2**10, description="The largest request that is read")
    upload_size_max_bytes: int = Field(512 * 2**20, ge=1, description="The largest inventory file")
    upload_chunk_max_bytes: int = Field(2**20, ge=1, description="The largest piece of an upload")
    upload_keep_s: int = Field(24 * 3600, ge=1, description="How long an upload waits for its import")
    expanded_size_max_bytes: int = Field(2 * 2**30, ge=1, description="The largest inventory, unpacked")
    cells_max: int = Field(50_000_000, ge=1, description="The most cells of one inventory")
    columns_max: int = Field(2_000, ge=1, description="The most columns of one table")
    import_chunk_rows: int = Field(
        10_000, ge=1, description="The most rows that one transaction of an import, a merge or a copy writes"
    )
    import_write_target_ms: float = Field(
        10.0,
        gt=0,
        description="How long such a transaction should hold the writer while others write; its rows are cut "
        "to fit, and grow while nobody does",
    )
    parser_memory_max_bytes: int = Field(
        4 * 2**30, ge=2**28, description="Memory of the process that reads one inventory"
    )
    parser_time_max_s: float = Field(
        900.0, gt=0, description="Processor time of the process that reads one inventory"
    )
    preview_time_max_s: float = Field(30.0, gt=0, description="The longest that a preview may take")
    missing_assets_max: int = Field(1_000, ge=0, description="Missing assets that a report names")
    read_batch_rows: int = Field(16_384, ge=1, description="Rows of one Arrow record batch")
    read_cache_max_bytes: int = Field(
        4 * 2**30, ge=0, description="Disk for Arrow files of data versions that were read before"
    )
    imports_at_once_max: int = Field(2, ge=1, description="Imports that run at the same time; others wait")
    rejected_rows_max: int = Field(10_000, ge=0, description="Rejected rows past which an import gives up")
    operation_lease_s: float = Field(
        10.0, gt=0, description="Unattended for so long, a running operation counts as interrupted"
    )
    operation_wait_max_s: float = Field(30.0, gt=0, description="The longest that WaitOperation waits")
    request_id_keep_s: int = Field(24 * 3600, ge=1, description="How long a stored answer can be replayed")
    operation_keep_s: int = Field(7 * 24 * 3600, ge=1, description="How long an operation can be looked up")
    version_keep_s: int = Field(
        7 * 24 * 3600,
        ge=1,
        description="How long a data version that nothing shows is kept, and its import can be undone",
    )
    context_keep_s: int = Field(90 * 24 * 3600, ge=1, description="How long an unused context is kept")
    token_keep_s: int = Field(30 * 24 * 3600, ge=1, description="How long an ended API token is listed")
    token_life_default_s: int = Field(
        90 * 24 * 3600, ge=1, description="The life of an API token that asks for none"
    )
    token_life_max_s: int = Field(366 * 24 * 3600, ge=1, description="The longest life of an API token")
    tokens_per_user_max: int = Field(100, ge=1, description="API tokens of one user that have not ended")
    heartbeat_s: float = Field(5.0, gt=0, description="The longest silence of a watch")
    watch_streams_max: int = Field(1_000, ge=1, description="Streams of one watch")
    watch_poll_s: float = Field(0.5, gt=0, description="How often watched streams are read unannounced")
    watch_queue_max: int = Field(
        1_000, ge=1, description="Changes that a slow subscriber may be behind in memory"
    )
    changes_keep: int = Field(100_000, ge=1, description="Changes kept of each stream")
    cleanup_interval_s: float = Field(300.0, gt=0, description="How often what is out of date is removed")
    pending_requests_max: int = Field(
        10_000, ge=1, description="Calls that wait for the server to take them up"
    )
    idle_exit_s: float = Field(
        600.0, ge=0, description="An embedded service ends itself after this long unused"
    )
    stop_grace_s: float = Field(
        10.0, ge=0, description="How long running calls may take when the server stops"
    )
    read_threads: int = Field(4, ge=1, description="Threads for long reads of SQLite")
    write_batch_max: int = Field(256, ge=1, description="Writes that share one SQLite commit")
    postgresql_connections: int = Field(8, ge=2, description="Connections to PostgreSQL")
    data_dir: Path | None = Field(None, description="The data folder; None: the user's own")

    @field_validator("operation_wait_max_s")
    @classmethod
    def _within_a_call(cls, wait_s: float, info: ValidationInfo) -> float:
        most_s = info.data.get("call_time_max_s")
        if most_s is not None and wait_s >= most_s:
            raise PydanticCustomError("wait", "it must be less than call_time_max_s")
        return wait_s
