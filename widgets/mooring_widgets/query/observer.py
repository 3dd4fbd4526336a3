"""One subscriber's view of one query at a time."""

from typing import Any, Generic

from mooring_widgets.query.observing import BaseObserver
from mooring_widgets.query.options import R, T
from mooring_widgets.query.result import QueryResult


class QueryObserver(BaseObserver[T, R, QueryResult[R]], Generic[T, R]):
    """Shows a query through `select` and placeholders, and keeps it fetched while subscribed.

    Without a listener an observer is known to nobody: it fetches nothing and can be dropped. With one, it is
    held by its query until the listener unsubscribes. It never shows the data of another key than its options
    name, but for a placeholder, which is marked. Methods may be called from any thread.
    """

    def _picture(self, **shown: Any) -> QueryResult[R]:
        return QueryResult(**shown)
