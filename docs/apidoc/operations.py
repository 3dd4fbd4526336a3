"""What `google.longrunning.Operations` means here; Google's own comments speak of any service."""

from collections.abc import Mapping

_NAME = "`engagements/{engagement}/sessions/{session}/operations/{operation}`."
_ABSENT = "NOT_FOUND for an unknown one, and for one that ended longer ago than `operation_keep_s`."
_SERVICE = "google.longrunning.Operations"
_PACKAGE = "google.longrunning"

COMMENTS: Mapping[str, str] = {
    _SERVICE: "Long work: what an import is doing, and what came of it.\n\n"
    "An operation outlives the call that began it, and a restart of the server too: then it has ended with "
    "OPERATION_INTERRUPTED, and changed nothing. There is no DeleteOperation: operations go by themselves.",
    f"{_SERVICE}/ListOperations": "The operations of a session, the newest first.\n\n"
    "INVALID_ARGUMENT for a page size below 0, an altered page token or a filter; NOT_FOUND for an absent "
    "session.",
    f"{_SERVICE}/GetOperation": f"One operation, as it stands.\n\n{_ABSENT}",
    f"{_SERVICE}/WaitOperation": "One operation, once it has ended or the timeout is over, whichever comes "
    f"first. An answer that is not `done` means: ask again.\n\n{_ABSENT}",
    f"{_SERVICE}/CancelOperation": "Asks an operation to end without effect. One that has ended stays as it "
    "is, one that is being published may still succeed. GetOperation tells what became of it: a cancelled "
    f"one has the error CANCELLED.\n\n{_ABSENT}",
    f"{_PACKAGE}.Operation": "Work that goes on behind a call.",
    f"{_PACKAGE}.Operation.name": _NAME,
    f"{_PACKAGE}.Operation.metadata": "How far it is: an "
    "[ImportInventoryMetadata](discovery.md#importinventorymetadata).",
    f"{_PACKAGE}.Operation.done": "Whether it has ended. If so, `error` or `response` is set.",
    f"{_PACKAGE}.Operation.error": "Why it failed, with the same details as a [refused call](errors.md).",
    f"{_PACKAGE}.Operation.response": "What it did: an "
    "[ImportInventoryResponse](discovery.md#importinventoryresponse).",
    f"{_PACKAGE}.GetOperationRequest.name": _NAME,
    f"{_PACKAGE}.WaitOperationRequest.name": _NAME,
    f"{_PACKAGE}.CancelOperationRequest.name": _NAME,
    f"{_PACKAGE}.WaitOperationRequest.timeout": "How long to wait: `operation_wait_max_s` at most, and where "
    "unset.",
    f"{_PACKAGE}.ListOperationsRequest.name": "The session: `engagements/{engagement}/sessions/{session}`.",
    f"{_PACKAGE}.ListOperationsRequest.filter": "Must be empty.",
    f"{_PACKAGE}.ListOperationsRequest.page_size": "50 by default, at most 1,000.",
    f"{_PACKAGE}.ListOperationsRequest.page_token": "From the answer before; bound to the caller and the "
    "session.",
    f"{_PACKAGE}.ListOperationsResponse.operations": "The newest first.",
    f"{_PACKAGE}.ListOperationsResponse.next_page_token": "Empty at the end.",
}
