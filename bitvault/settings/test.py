"""Tests: the same code against throw-away services; only what would slow a test down without being tested is cheaper."""

from bitvault.settings.base import *

BITVAULT_STRICT_BOUNDARIES = True
# The cheapest argon2id that the library allows: tests sign in often and do not test argon2.
PASSWORD_HASHERS = ["tests.support.hashers.CheapArgon2PasswordHasher"]
DATABASES = {"default": {**DATABASES["default"], "ENGINE": "tests.support.postgres"}}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
