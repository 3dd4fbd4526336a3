"""The lists that callers filter and order: their fields and orders, and what a request asks of one."""

from dataclasses import dataclass
from typing import Any

from mooring_server.core import filtering, names, paging
from mooring_server.core.paging import Query
from mooring_server.core.schemas import Field, FieldKind, Schema, enum_choices
from mooring_server.core.sessions import SessionType
from mooring_server.settings import Settings
from mooring_server.store.records import AssetType, DependencyKind, Order

_TIME = Field(FieldKind.TIME)
_TEXT = Field(FieldKind.TEXT)
_WORDS = Field(FieldKind.TEXT, searched=True)
_WHOLE = Field(FieldKind.WHOLE)


@dataclass(frozen=True)
class List:
    """A list: what filters know of it, and its orders, the one it has by itself first."""

    schema: Schema
    orders: tuple[Order, ...]


def query(list_: List, request: Any, settings: Settings) -> Query:
    """What a list request asks for: its `order_by`, `filter` and, where it has them, `show_…`.

    Raises:
        InvalidArgument: INVALID_FIELD, INVALID_FILTER.
    """
    return Query(
        order=paging.order(request.order_by, list_.orders),
        text=request.filter,
        condition=filtering.parse(request.filter, list_.schema, settings),
        archived=getattr(request, "show_archived", False),
        deleted=getattr(request, "show_deleted", False),
    )


SESSIONS = List(
    Schema(
        {
            "display_name": _WORDS,
            "description": _WORDS,
            "type": Field(FieldKind.ENUM, choices=enum_choices(SessionType, "SESSION_TYPE")),
            "creator": Field(FieldKind.NAME, name=names.Kind.USER),
            "is_default": Field(FieldKind.FLAG),
            "parent_session": Field(
                FieldKind.NAME,
                name=names.Kind.SESSION,
                stored=lambda ids: (None if ids[0] == names.ANY else ids[0], ids[1]),
            ),
            "asset_count": _WHOLE,
            "create_time": _TIME,
            "update_time": _TIME,
            "last_activity_time": _TIME,
        },
        labels="labels",
    ),
    (
        Order.DISPLAY_NAME,
        Order.DISPLAY_NAME_DESC,
        Order.CREATE_TIME,
        Order.CREATE_TIME_DESC,
        Order.LAST_ACTIVITY_TIME,
        Order.LAST_ACTIVITY_TIME_DESC,
    ),
)
ENGAGEMENTS = List(
    Schema({"display_name": _WORDS, "create_time": _TIME, "update_time": _TIME}),
    (Order.DISPLAY_NAME, Order.DISPLAY_NAME_DESC, Order.CREATE_TIME, Order.CREATE_TIME_DESC),
)
ASSETS = List(
    Schema(
        {
            "display_name": _WORDS,
            "type": Field(FieldKind.ENUM, choices=enum_choices(AssetType, "ASSET_TYPE")),
            "hostname": _WORDS,
            "external_id": _TEXT,
            "environment": _TEXT,
            "location": _WORDS,
            "platform": _TEXT,
            "operating_system": _WORDS,
            "technology": _TEXT,
            "model": _TEXT,
            "serial_number": _TEXT,
            "status": _TEXT,
            "owner": _TEXT,
            "application": _WORDS,
            "business_unit": _TEXT,
            "criticality": _TEXT,
            "migration_status": _TEXT,
            "migration_strategy": _TEXT,
            "migration_wave": _TEXT,
            "cpu_cores": Field(FieldKind.NUMBER),
            "memory_bytes": _WHOLE,
            "storage_bytes": _WHOLE,
            "implied": Field(FieldKind.FLAG),
            "create_time": _TIME,
            "update_time": _TIME,
        }
    ),
    (Order.DISPLAY_NAME, Order.DISPLAY_NAME_DESC),
)
_ASSET = Field(FieldKind.NAME, name=names.Kind.ASSET)
DEPENDENCIES = List(
    Schema(
        {
            "source": _ASSET,
            "target": _ASSET,
            "kind": Field(FieldKind.ENUM, choices=enum_choices(DependencyKind, "DEPENDENCY_KIND")),
            "port": _WHOLE,
            "protocol": _TEXT,
            "source_process": _TEXT,
            "target_process": _TEXT,
            "create_time": _TIME,
            "update_time": _TIME,
        }
    ),
    (Order.CREATE_TIME, Order.CREATE_TIME_DESC),
)
