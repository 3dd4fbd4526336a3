import pytest
from support_store import Database, begin


@pytest.fixture
def database(database_url):
    """A database with one engagement; imports write five rows at a time."""
    with Database(database_url, import_chunk_rows=5, imports_at_once_max=1, rejected_rows_max=3) as opened:
        opened.write(begin)
        yield opened
