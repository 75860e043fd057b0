"""What this module keeps sealed."""

from collections.abc import Iterator

from apps.admin_platform.config_source import SOURCE, purpose_of
from apps.admin_platform.models import Config, ConfigVersion, SiemExport
from apps.admin_platform.siem.delivering import PURPOSE
from bitvault.kernel.resealing import Column, Counts, sealed_column, walk


@sealed_column(SiemExport, "secret", purpose=PURPOSE)
def reseal_exports(column: Column) -> Iterator[Counts]:
    """Seal the tokens of SIEM exports anew."""
    yield from walk(column)


@sealed_column(Config, "sealed", purpose=purpose_of(""))
def reseal_settings(column: Column) -> Iterator[Counts]:
    """Seal the settings that are secrets anew."""
    yield from walk(column, differs_by="key")
    SOURCE.forget()


@sealed_column(ConfigVersion, "sealed", purpose=purpose_of(""), is_history=True)
def reseal_earlier_settings(column: Column) -> Iterator[Counts]:
    """Seal what they were before anew, so that it can come back."""
    yield from walk(column, differs_by="config_id")
