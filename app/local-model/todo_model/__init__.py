"""A model that understands a few sentences: for development and tests, never for production."""
