"""The address of a link as a code that a phone reads from a screen or a sheet of paper."""

import io

import segno

_QUIET_MODULES = 4
"""The margin that readers need (ISO/IEC 18004)."""


def draw_qr(address: str) -> str:
    """Draw an address as SVG: dark modules on nothing, of no size and without any style of its own."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, omitsize=True, border=_QUIET_MODULES, svgclass="qr", lineclass=None
    )
    return out.getvalue().decode()
