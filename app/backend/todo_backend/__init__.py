"""Accounts, tasks and conversations: the only door of the application for a browser."""

SERVICE = "backend"
