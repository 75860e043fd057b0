"""What billing puts into the frame."""

from bitvault.web import shell

shell.register(
    shell.Part(key="billing.meter", slot="rail", template="billing/rail_meter.html", order=20),
    shell.Assets(key="billing", order=80, styles=("billing/meter.css",), scripts=("billing/meter.js",)),
)
