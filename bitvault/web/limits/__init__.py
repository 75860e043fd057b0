"""Limits on requests: how often each tenant, user, credential and address may ask, and how much one may use while others ask too.

``policies`` is the table, ``cells`` counts in this process and settles with Valkey, ``fair_shares`` divides the machine between those who
use it at the same time, ``routes`` says what class a route is of, ``throttles`` are DRF's classes for views, ``middleware`` is for
everything else. The guards of secrets (``web.throttle``) count exactly, before the work; these limits count cheaply.
"""
