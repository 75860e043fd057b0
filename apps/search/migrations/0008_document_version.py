"""Metadata and holds raise a document's version as what is written about it does; folders on hold are walked alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("search", "0007_holds"),
    ]

    operations = [
        migrations.RenameModel(old_name="RemarkVersion", new_name="DocumentVersion"),
        migrations.AlterModelTable(name="documentversion", table="search_document_version"),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                condition=models.Q(("is_folder", True)), fields=["parent_id"], name="search_document_folders"
            ),
        ),
    ]
