"""Stands for code of Search: what it sends is sent by Search."""

from contextlib import suppress

from django.db import connection

from tests.architecture.breaches.apps.files import writing


def send(statement, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def send_many(statement, rows):
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)


def read_nodes():
    from apps.files.models import Node

    return list(Node.objects.all())


def save(row):
    row.save()


def swallow(statement):
    with suppress(Exception):
        send(statement)


def ask_files(statement):
    writing.send(statement)
