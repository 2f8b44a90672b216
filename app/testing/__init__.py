"""What the test suites share: a throw-away PostgreSQL and the plain processes of the services."""
