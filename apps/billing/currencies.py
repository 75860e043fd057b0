"""Money: exact until it is rounded, once for each line, half to even, to the currency's minor unit."""

from decimal import Decimal
from fractions import Fraction

from django.utils.formats import number_format

_MINOR_UNITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND"), 0),
    **dict.fromkeys(("VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""Digits behind the point where they are not two (ISO 4217, table A.1)."""

_USUAL = 2


def digits_of(currency: str) -> int:
    """Tell how many digits a currency has behind the point."""
    return _MINOR_UNITS.get(currency, _USUAL)


def round_to_minor(amount: Fraction, currency: str) -> int:
    """Round an amount to minor units (cents), half to even, as ``round`` of an exact fraction does."""
    factor: int = 10 ** digits_of(currency)
    return round(amount * factor)


def write_amount(minor: int, currency: str) -> str:
    """Write minor units as an amount: ``-12.34``, without the currency."""
    return str(Decimal(minor).scaleb(-digits_of(currency)))


def write_price(price: Decimal, currency: str) -> str:
    """Write a price with as many digits as the currency has, or as it needs: ``4.50``, ``0.0215``."""
    exact = price.normalize()
    digits = max(digits_of(currency), -int(exact.as_tuple().exponent))
    return f"{exact:.{digits}f}"


def write_locally(exact: str) -> str:
    """Write an amount, a price or a quantity as the reader's language does: ``1,234.50``, ``1.234,50``. No digit is lost."""
    return str(number_format(Decimal(exact), force_grouping=True))
