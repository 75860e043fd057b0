"""Tables: each stands in one plane, belongs to one app, is named after it, and refers to nothing outside of it."""

import re

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from django.test.utils import isolate_apps

from bitvault.kernel.models import PublicModel, TenantModel, id_field
from bitvault.kernel.routers import PlaneRouter


def list_models() -> list[type[models.Model]]:
    """List our own models; Django's own tables are named by what made them."""
    return [model for model in apps.get_models() if model.__module__.startswith(("apps.", "bitvault."))]


def find_faults(model: type[models.Model]) -> list[str]:
    """Name what is wrong with a model's table."""
    table, label = model._meta.db_table, model._meta.app_label
    faults = []
    if issubclass(model, PublicModel) == issubclass(model, TenantModel):
        faults.append(f"{table} stands in no plane, or in both")
    if not re.fullmatch(rf"{label}_[a-z]+(?:_[a-z]+)*", table):
        faults.append(f"{table} is not named {label}_<thing>")
    if table.endswith("s") and not table.endswith("ss") and table not in PLURALS:
        faults.append(f"{table} is named after many things; a row is one")
    for field in model._meta.get_fields():
        if not (field.concrete and field.is_relation):
            continue
        target = field.related_model
        if target is not None and target._meta.app_label != label and _label(target) not in FRAMEWORK:
            faults.append(f"{table}.{field.name} leaves its app for {_label(target)}")
        if field.many_to_many and getattr(model, "plane", None) == "tenant":
            faults.append(f"{table}.{field.name} makes a table that has no plane; write a model for it")
    if not (model.__doc__ or "").strip() or model.__doc__.startswith(f"{model.__name__}("):
        faults.append(f"{table}: the model has no docstring")
    return faults


def _label(model: type[models.Model]) -> str:
    return model._meta.label


PLURALS = frozenset({"files_trash"})
FRAMEWORK = frozenset({"auth.Group", "auth.Permission"})
"""What Django's admin wants of an operator; both are Django's own and stand beside identity's tables."""


def test_tables_keep_the_rules():
    assert [fault for model in list_models() for fault in find_faults(model)] == []


def test_no_table_stands_in_both_planes():
    planes = {"public": set(), "tenant": set()}
    for model in apps.get_models(include_auto_created=True):
        planes[getattr(model, "plane", "public")].add(model._meta.db_table)
    assert planes["public"] & planes["tenant"] == set()
    assert planes["tenant"]


@pytest.mark.parametrize("model", list_models(), ids=lambda model: model._meta.label)
def test_an_app_is_migrated_where_its_tables_stand(model):
    listed = settings.TENANT_APPS if model.plane == "tenant" else settings.SHARED_APPS
    assert apps.get_app_config(model._meta.app_label).name in listed


def test_the_router_lets_a_migration_act_in_the_models_own_plane_alone():
    router = PlaneRouter()
    for model in list_models():
        assert router._plane_of(model._meta.app_label, model._meta.model_name, {}) == model.plane


# --- planted tables --------------------------------------------------------------------------------------------------------


def _planted():
    with isolate_apps("apps.files"):

        class Homeless(models.Model):
            """Stands in no plane."""

            class Meta:
                app_label = "files"
                db_table = "files_homeless"

        class Both(PublicModel, TenantModel):
            """Stands in both planes."""

            class Meta:
                app_label = "files"
                db_table = "files_both"

        class Misnamed(TenantModel):
            """Is named after another module."""

            class Meta:
                app_label = "files"
                db_table = "storage_thing"

        class Many(TenantModel):
            """Is named after many things."""

            class Meta:
                app_label = "files"
                db_table = "files_things"

        class Leaving(TenantModel):
            """Refers to another module's table."""

            id = id_field()
            blob = models.ForeignKey(apps.get_model("storage", "Blob"), on_delete=models.CASCADE)

            class Meta:
                app_label = "files"
                db_table = "files_leaving"

        class Linking(TenantModel):
            """Makes a table between tables."""

            others = models.ManyToManyField("self")

            class Meta:
                app_label = "files"
                db_table = "files_linking"

        class Silent(TenantModel):
            class Meta:
                app_label = "files"
                db_table = "files_silent"

    return [Homeless, Both, Misnamed, Many, Leaving, Linking, Silent]


@pytest.mark.parametrize("model", _planted(), ids=lambda model: model.__name__)
def test_a_planted_table_is_found_faulty(model):
    assert find_faults(model)
