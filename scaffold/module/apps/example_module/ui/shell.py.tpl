"""What the module puts into the frame."""

from django.utils.translation import gettext_lazy as _

from bitvault.web import shell

shell.register(
    shell.Section(key="example_module", label=_("Example module"), icon="file", href="/example_module/", order=80),
)
