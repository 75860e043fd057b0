"""A transaction of a test's own, which is rolled back, and the database backend that runs the product's inside of it."""

from django.db import transaction


def undone():
    """Run the block in a transaction that the product's own may be part of, as Django's ``TestCase`` does; the block rolls it back."""
    atomic = transaction.atomic()
    atomic._from_testcase = True
    return atomic
