"""The process that settles what both sides of a merge say differently.

That is minutes of computing for a large session. Within the serving process it would take the interpreter
from everybody else for 5 ms at a time. `settling.py` is the other side.
"""

import os

from mooring_server.background import child, frames
from mooring_server.core.merges import Plan
from mooring_server.core.settling import portion
from mooring_server.store import Tx
from mooring_server.store.migrating import snapshot
from mooring_server.store.values import from_us


def main() -> None:
    """Carries out the order on standard input."""
    order, out, watch = child.begin(lambda: None)
    send = child.sender(out)
    plan, now, after = Plan.from_json(order["plan"]), from_us(order["now_us"]), order["after"]
    versions = order["target_id"], order["source_id"]
    try:
        while True:
            # A look of its own for each: a snapshot that lasts would keep the database from tidying up.
            with snapshot(order["url"]) as database:
                tx = Tx(database, now=now, actor="users/system")
                made = portion(tx, order["kind"], *versions, after, order["limit"], plan, now)
            send("portion", frames.portion_to_json(made))
            if made.until is None:
                break
            after = made.until
    except BrokenPipeError:  # the server is gone, which is noticed here before it is there
        os._exit(1)
    watch.join()
