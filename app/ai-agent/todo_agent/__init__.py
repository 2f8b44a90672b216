"""Turns what a person writes into calls of the tools; keeps nothing and has no database."""

SERVICE = "ai-agent"
