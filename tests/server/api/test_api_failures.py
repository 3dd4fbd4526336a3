import ast
from pathlib import Path

import grpc
import mooring_server
import pytest
from google.rpc import error_details_pb2
from mooring.v1 import errors_pb2
from mooring_server import errors
from mooring_server.api import failures

REASONS = {name.removeprefix("ERROR_REASON_") for name, _ in errors_pb2.ErrorReason.items()}
SPECIFIC = errors.SpecificError.__subclasses__()
CLASSES = [
    errors.MooringError,
    *(set(errors.MooringError.__subclasses__()) - {errors.SpecificError}),
    *SPECIFIC,
]


def details(status, kind):
    found = []
    for packed in status.details:
        detail = kind()
        if packed.Unpack(detail):
            found.append(detail)
    return found


def test_the_table_covers_every_failure():
    """Every class of the failure vocabulary has its status code, and no two share one."""
    assert set(failures.STATUS_CODES) == set(CLASSES)
    assert len(set(failures.STATUS_CODES.values())) == len(CLASSES)


@pytest.mark.parametrize("class_", CLASSES, ids=lambda class_: class_.__name__)
def test_no_failure_is_internal_by_accident(class_):
    """A class has a reason that clients know, or refuses to be raised without one."""
    if class_ in SPECIFIC:
        with pytest.raises(TypeError):
            class_("no")
    elif class_ is not errors.MooringError:
        assert class_.reason in REASONS - {"INTERNAL"}


def test_every_failure_says_which():
    """ErrorInfo names reason and domain whatever the class."""
    for class_ in CLASSES:
        more = {"earliest_revision": 7} if class_ is errors.OutOfRange else {}
        error = class_("no", **more, **({"reason": "ID_TAKEN"} if class_ in SPECIFIC else {}))
        status = failures.status(error)
        (info,) = details(status, error_details_pb2.ErrorInfo)
        assert (info.reason, info.domain) == (error.reason, "mooring.v1")
        assert status.code == failures.status_code(error).value[0]
        assert status.message == "no"


def test_details_tell_what_to_do():
    """Wrong fields, the wait, and the earliest revision travel with their failures."""
    wrong = failures.status(errors.InvalidArgument.field("a.b", "must be c"))
    (bad,) = details(wrong, error_details_pb2.BadRequest)
    assert [(v.field, v.description) for v in bad.field_violations] == [("a.b", "must be c")]
    (retry,) = details(
        failures.status(errors.ResourceExhausted("slow", retry_after_s=1.5)), error_details_pb2.RetryInfo
    )
    assert retry.retry_delay.ToMilliseconds() == 1_500
    assert not details(failures.status(errors.ResourceExhausted("full")), error_details_pb2.RetryInfo)
    (info,) = details(
        failures.status(errors.OutOfRange("gone", earliest_revision=7)), error_details_pb2.ErrorInfo
    )
    assert info.metadata["earliest_revision"] == "7"


def test_a_status_fits_into_headers():
    """However long a message is, the packed status stays well below the 8 KiB that clients accept."""
    violations = [errors.FieldViolation(f"field_{n}", "x" * 150) for n in range(10)]
    status = failures.status(errors.InvalidArgument("é" * 100_000, violations=violations))
    assert len(status.SerializeToString()) < 4_096


def test_the_base_class_is_a_fault():
    """What nobody foresaw is INTERNAL."""
    assert failures.status_code(errors.MooringError("?")) is grpc.StatusCode.INTERNAL


def test_messages_stand_behind_a_colon():
    """No failure's message begins like a sentence or ends like one."""
    names = {class_.__name__ for class_ in CLASSES} | {"unreadable"}
    texts = {
        place: [part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)]
        for place, node in calls_of(names)
        if node.args and isinstance(node.args[0], ast.Constant | ast.JoinedStr)
    }
    assert len(texts) > 30
    for place, parts in texts.items():
        text = "".join(map(str, parts))
        assert ". " not in f"{text} ", place


def calls_of(class_names):
    """Every call in the server's sources that makes such a failure."""
    for file in Path(mooring_server.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in class_names:
                yield f"{file.name}:{node.lineno}", node


def test_every_reason_in_the_sources_is_in_the_api():
    """Whatever reason a failure is raised with, clients know it."""
    reasons = {
        place: keyword.value.value
        for place, node in calls_of({class_.__name__ for class_ in CLASSES})
        for keyword in node.keywords
        if keyword.arg == "reason" and isinstance(keyword.value, ast.Constant)
    }
    assert len(reasons) > 20
    assert {place: reason for place, reason in reasons.items() if reason not in REASONS} == {}
