"""PostgreSQL's own extensions that modules may use in public and in tenants' schemas: similarity and prefixes of words, text
without accents, GIN indexes over plain columns, paths of labels.

All four are trusted: whoever may make schemas in the database may make them too. Where a managed server does not allow that, its
administrator makes them in this schema beforehand. A migration that uses one depends on this one.
"""

from django.db import migrations

EXTENSIONS = """
CREATE SCHEMA IF NOT EXISTS extensions;
CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA extensions;
CREATE EXTENSION IF NOT EXISTS unaccent SCHEMA extensions;
CREATE EXTENSION IF NOT EXISTS btree_gin SCHEMA extensions;
CREATE EXTENSION IF NOT EXISTS ltree SCHEMA extensions;
GRANT USAGE ON SCHEMA extensions TO bitvault, bitvault_tenant;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("identity", "0003_email_proof"),
    ]

    operations = [
        migrations.RunSQL(EXTENSIONS, reverse_sql="DROP SCHEMA extensions CASCADE", hints={"plane": "public"}),
    ]
