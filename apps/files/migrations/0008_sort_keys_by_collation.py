"""Sort names as the Unicode Collation Algorithm does: in steps of their own, so that a run that is killed goes on where it stopped.

What old code writes meanwhile is left for the hourly task.
"""

from django.db import migrations

from apps.files.operations.rekeying import compute
from apps.files.sql.names import REKEY, REKEY_DUE
from bitvault.kernel import names

STEP = 2000


def write_sort_keys(apps, schema_editor):
    while True:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(REKEY_DUE.format(version=names.KEY_VERSION), [STEP])
            rows = cursor.fetchall()
            if not rows:
                return
            cursor.execute(REKEY, compute(rows))


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("files", "0007_names_with_old_keys"),
    ]

    operations = [
        migrations.RunPython(write_sort_keys, migrations.RunPython.noop, hints={"plane": "tenant"}),
    ]
