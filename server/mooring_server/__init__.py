"""The service."""

import os

# gRPC's handlers of fork() now and then end the new process before it becomes what it is to be. We fork to
# start other programs alone (the parser of an inventory), which need none of them. Read when gRPC begins.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
