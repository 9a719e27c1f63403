"""Django's Postgres backend, with its reads counted: named in settings as the databases' ENGINE."""
