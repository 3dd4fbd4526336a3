# ruff: noqa: D106  peewee's Meta classes are settings
"""Users and their API tokens."""

from peewee import SQL, BigIntegerField, CompositeKey

from mooring_server.store.tables.base import Table, Text


class Users(Table):
    """Callers. The row carries the revision of the stream `users/{id}`."""

    id = Text(primary_key=True)
    subject = Text(unique=True)
    display_name = Text()
    email = Text()
    default_engagement_id = Text(null=True)
    revision = BigIntegerField()
    etag = BigIntegerField()
    create_time = BigIntegerField()
    update_time = BigIntegerField()

    class Meta:
        table_name = "users"


class Tokens(Table):
    """API tokens. `hash` is all that is known of the secret."""

    user_id = Text()
    id = Text()
    hash = Text(unique=True)
    display_name = Text()
    scope = Text()
    expire_time = BigIntegerField()
    create_time = BigIntegerField()
    revoke_time = BigIntegerField(null=True)
    use_time = BigIntegerField(null=True)

    class Meta:
        table_name = "tokens"
        primary_key = CompositeKey("user_id", "id")
        constraints = (SQL("FOREIGN KEY (user_id) REFERENCES users (id)"),)


Tokens.add_index(Tokens.expire_time, name="tokens_by_expiry")
Tokens.add_index(Tokens.revoke_time, where=Tokens.revoke_time.is_null(False), name="tokens_by_revocation")
Tokens.add_index(Tokens.user_id, Tokens.create_time, Tokens.id, name="tokens_by_create_time")
