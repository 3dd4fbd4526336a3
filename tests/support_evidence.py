"""What the evidence shares."""


def kind(database_url: str) -> str:
    """Which database a URL is of, for a figure."""
    return "PostgreSQL" if database_url.startswith("postgresql:") else "SQLite"
