"""Looking after a database: doctor and repairs, backups, and taking over the old shape."""
