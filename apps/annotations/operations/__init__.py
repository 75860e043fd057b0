"""Writes of annotations. The transaction of a consumer is opened by its caller, all others are opened here."""
