"""The program that reads strangers' files: what it makes of honest ones, what it says of others, and what it cannot do."""

import io
import subprocess
import sys
import tempfile
import time

import pytest
from PIL import Image

from apps.previews import running, types
from bitvault.kernel import confined as confining
from bitvault.kernel import confinement
from tests.apps.previews import pictures


def draw(content, kind="image", part="picture", page=1):
    edges = types.EDGES if part == "picture" else {part: types.EDGES["large"]}
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        return running.run(running.Task(kind=kind, part=part, edges=edges, page=page), file)


def opened(drawn):
    assert not drawn.refused
    return {name: Image.open(io.BytesIO(body)) for name, _, body in drawn.objects}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "HEIF"])
def test_a_picture_of_each_kind_is_drawn_in_three_sizes(kind):
    made = opened(draw(pictures.picture(kind, (3000, 1500))))
    assert {name: image.size for name, image in made.items()} == {
        "large": (1920, 960),
        "medium": (1024, 512),
        "small": (256, 128),
    }
    for image in made.values():
        assert image.format == "WEBP"
        red, green, _ = image.convert("RGB").getpixel((image.width // 4, image.height // 2))
        assert (red > 150, green < 80) == (True, True)


def test_a_small_picture_is_not_made_larger_and_kept_once():
    assert {name: image.size for name, image in opened(draw(pictures.picture("PNG", (100, 50)))).items()} == {
        "small": (100, 50)
    }


def test_a_turned_photo_stands_upright_and_tells_nothing_of_place_and_camera():
    drawn = draw(pictures.photo_turned_by_its_camera())
    made = opened(drawn)
    assert made["medium"].size == (480, 640)
    for _, _, body in drawn.objects:
        assert b"SECRETCAMERA" not in body
        assert not Image.open(io.BytesIO(body)).getexif()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "I", "F"])
def test_pictures_of_each_mode_are_drawn(mode):
    body = io.BytesIO()
    Image.new(mode, (64, 64)).save(body, "TIFF")
    assert opened(draw(body.getvalue()))["small"].size == (64, 64)


def test_pages_of_a_document_are_drawn_and_counted():
    content = pictures.pdf(pages=3)
    first = draw(content, "pdf")
    assert first.page_count == 3
    assert set(opened(first)) == {"small", "medium", "large"}
    third = draw(content, "pdf", "page-3", page=3)
    assert opened(third)["page-3"].height == types.EDGES["large"]
    assert draw(content, "pdf", "page-4", page=4).refused == "no_such_page"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Grüße".encode(), "Grüße"),
        ("Grüße".encode("utf-8-sig"), "Grüße"),
        ("Grüße".encode("utf-16"), "Grüße"),
        ("Grüße".encode("cp1252"), "Grüße"),
        ("Grüße€".encode()[:-1], "Grüße"),
        (b"", ""),
    ],
)
def test_a_text_is_read_in_its_encoding_also_where_it_was_cut(content, text):
    drawn = draw(content, "text", "text")
    assert drawn.objects == [("text", "text/plain; charset=utf-8", text.encode())]


@pytest.mark.parametrize(
    ("content", "kind", "reason"),
    [
        (b"no picture", "image", "damaged"),
        (b"", "image", "damaged"),
        (b"%PDF-1.7 nothing", "pdf", "damaged"),
        (pictures.picture()[:2000], "image", "damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image", "damaged"),
        (pictures.picture("JPEG"), "pdf", "damaged"),
        (b"\0\1\2", "text", "damaged"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(content, kind, reason):
    assert draw(content, kind, "text" if kind == "text" else "picture").refused == reason


@pytest.mark.parametrize(
    ("bomb", "kind"),
    [(pictures.png_bomb, "image"), (pictures.lying_png, "image"), (pictures.endless_pdf, "pdf")],
    ids=["pixels", "unpacking", "time"],
)
def test_a_bomb_is_refused_within_the_limits_and_this_process_goes_on(bomb, kind):
    content = bomb()
    begun = time.monotonic()
    drawn = draw(content, kind)
    assert time.monotonic() - begun < confining.SECONDS + 5
    assert drawn.refused in ("too_large", "too_complex", "damaged") or bomb is pictures.lying_png
    assert not draw(pictures.picture()).refused


def confined(code):
    """Run code in a process that has given everything up; returns what it printed."""
    program = f"from bitvault.kernel import confinement\nprint(*confinement.confine())\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=confining.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    return done.stdout.split("\n", 1)[0].split(), done.stdout.partition("\n")[2].strip(), done.returncode


def test_a_confined_process_holds_more_than_one_layer():
    layers, _, code = confined("")
    assert (layers[0], code) == ("limits", 0)
    assert len(layers) > 1


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/passwd').read()",
        f"open({str(confining.ROOT / 'manage.py')!r}).read()",
        "open('/tmp/written', 'w').write('x')",
        "import socket; socket.create_connection(('127.0.0.1', 1))",
        "import socket; socket.socket()",
        "import os; os.execv('/bin/true', ['true'])",
        "import subprocess; subprocess.run(['/bin/true'], check=True)",
        "bytearray(2 * 1024**3)",
    ],
)
def test_a_confined_process_cannot(attempt):
    _, said, _ = confined(
        f"try:\n    {attempt}\n    print('done')\nexcept (OSError, MemoryError) as error:\n    print('refused')"
    )
    assert said == "refused"


def test_a_process_that_calculates_for_ever_is_ended():
    limit = f"import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, {confinement.CPU_SECONDS}))"
    assert confined(f"{limit}\nwhile True: pass")[2] < 0


def test_a_program_that_answers_without_end_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(confining, "ANSWER_LIMIT_BYTES", 1000)
    assert draw(pictures.picture("PNG", (2000, 2000))).refused == "too_complex"


def test_a_program_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(confining, "SECONDS", 0.01)
    assert draw(pictures.picture()).refused == "too_complex"


def test_without_any_confinement_nothing_is_read():
    with pytest.raises(confinement.Refused, match="unconfined"):
        confinement.require_confinement(["limits"])


def marked(content, text):
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        drawn = running.run(running.Task(kind="mark", part="marked", text=text), file)
    return opened(drawn)["marked"].convert("L")


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128)], ids=["black", "white", "grey"])
def test_a_text_is_written_all_over_a_picture_whatever_its_colour(colour):
    body = io.BytesIO()
    Image.new("RGB", (1200, 800), colour).save(body, "WEBP")
    image = marked(body.getvalue(), "203.0.113.7")
    assert image.size == (1200, 800)
    for left in range(0, 1200, 400):
        for top in range(0, 800, 400):
            low, high = image.crop((left, top, left + 400, top + 400)).getextrema()
            assert high - low > 50, (left, top)


def test_another_text_gives_another_picture():
    body = io.BytesIO()
    Image.new("RGB", (300, 200), (250, 250, 250)).save(body, "WEBP")
    texts = ["203.0.113.7", "203.0.113.8", "ada@example.org"]
    assert len({marked(body.getvalue(), text).tobytes() for text in texts}) == len(texts)
