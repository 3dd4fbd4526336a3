import pytest
from mooring_server.settings import Settings
from pydantic import ValidationError

MAY_BE_NONE = {"port", "lookup_cache_max", "rejected_rows_max", "missing_assets_max", "read_cache_max_bytes"}
LIMITS = [name for name, field in Settings.model_fields.items() if field.annotation is int]


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_lets_something_through(name):
    """None holds what it bounds for ever, as imports of 0 rows a transaction would; nor is one below 0."""
    with pytest.raises(ValidationError):
        Settings(**{name: -1})
    if name in MAY_BE_NONE:
        Settings(**{name: 0})
    else:
        with pytest.raises(ValidationError):
            Settings(**{name: 0})
