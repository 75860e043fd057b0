"""Settings for tools that read the code and meet no service: types, migrations' check, OpenAPI, static files."""

import os

for _name, _value in {
    "BITVAULT_SECRET_KEY": "for-tools-that-only-read-the-code",
    "BITVAULT_DATABASE_URL": "postgres://bitvault@127.0.0.1:1/bitvault",
    "BITVAULT_REDIS_URL": "redis://127.0.0.1:1",
    "BITVAULT_S3_ENDPOINT_URL": "http://127.0.0.1:1",
    "BITVAULT_S3_ACCESS_KEY_ID": "none",
    "BITVAULT_S3_SECRET_ACCESS_KEY": "none",
}.items():
    os.environ.setdefault(_name, _value)

from bitvault.settings.base import *  # noqa: E402 - the defaults above come first

BITVAULT_STRICT_BOUNDARIES = True
