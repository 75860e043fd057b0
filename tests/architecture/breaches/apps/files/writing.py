"""Stands for code of Files."""

from django.db import connection


def send(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
