"""Sizes in words: never 1024 of a unit."""

import pytest
from django.template import Context, Template

from bitvault.web.sizes import size_in_words

KIB = 1024


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0\xa0bytes"),
        (1023, "1023\xa0bytes"),
        (1000, "1000\xa0bytes"),
        (1024, "1.0\xa0KB"),
        (KIB**2 - 1, "1.0\xa0MB"),
        (KIB**4 - 1_500_000, "1.0\xa0TB"),
        (KIB**4 - 60 * KIB**3, "964.0\xa0GB"),
        (5 * KIB**5, "5.0\xa0PB"),
    ],
)
def test_a_size_is_told_in_the_unit_that_it_rounds_to(count, words):
    assert size_in_words(count) == words


def test_every_template_has_the_filter():
    assert Template("{{ count|size_in_words }}").render(Context({"count": KIB**2 - 1})) == "1.0\xa0MB"
