"""Numbers that billing gives as exact texts, in the reader's writing."""

from django import template

from apps.billing.currencies import write_locally

register = template.Library()
register.filter("locally", write_locally)
