"""The program that reads a stranger's file and draws what is shown of it. It runs in a process of its own, which gives up everything first.

``python -m apps.previews.drawing TASK``, where TASK is JSON: ``{kind, part, edges: {name: pixels}, page, text}``. What it answers with is
``confinement.serve``'s; the facts are ``{objects: [[name, media type]], page_count}``, and each object has a body.
"""

from bitvault.kernel import confinement

LAYERS = confinement.confine() if __name__ == "__main__" else []

import io  # noqa: E402 - nothing is imported before everything is given up
from collections.abc import Iterator, Sequence  # noqa: E402
from typing import Any, BinaryIO  # noqa: E402

from bitvault.kernel.confinement import Refused  # noqa: E402

PIXEL_LIMIT = 120_000_000
"""Pixels of a picture that is decoded: the largest cameras, and 360 MB of memory."""

CUT_PIXEL_LIMIT = 50_000_000
"""Pixels of a picture that is drawn while somebody waits: what a phone takes."""

QUALITY = 78
WEBP = "image/webp"
PROFILE_LIMIT_BYTES = 16 * 1024
"""A colour profile that is kept: those of phones and cameras are small."""

MARK_INK, MARK_EDGE, MARK_STROKE, MARK_DEGREES = (20, 20, 20, 92), (255, 255, 255, 140), 1, 30
"""Colours and strokes of a text that is written over a picture: it can be read, and so can what lies below."""

Made = Iterator[tuple[str, str, bytes]]


def _open_image(file: BinaryIO) -> Any:
    from PIL import Image

    head = file.read(32)
    file.seek(0)
    Image.MAX_IMAGE_PIXELS = PIXEL_LIMIT // 2  # it refuses what has twice as many
    formats = ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF"]
    if head[4:8] == b"ftyp" and head[8:12] not in (b"avif", b"avis"):
        import pillow_heif

        pillow_heif.register_heif_opener(thumbnails=False)
        formats = ["HEIF"]
    image = Image.open(file, formats=formats)
    if image.width * image.height > PIXEL_LIMIT:
        raise Refused("too_large")
    return image


def draw_image(file: BinaryIO, edges: dict[str, int]) -> Made:
    """Draw a picture (of several frames the first) in each size that is smaller than it, without what its file says of place and camera."""
    image, profile = _load_image(_open_image(file), max(edges.values()))
    yield from draw_sizes(image, edges, profile)


def _load_image(image: Any, largest: int) -> tuple[Any, bytes]:
    """Decode a picture no larger than needed, upright; returns its colour profile, too."""
    from PIL import Image, ImageOps

    # A JPEG is decoded at a fraction of its size that is no smaller than this.
    image.draft("RGB", tuple(max(1, side * largest // max(image.size)) for side in image.size))
    profile = image.info.get("icc_profile") or b""
    image.load()
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode not in ("RGB", "RGBA", "L"):
        profile = profile if image.mode == "P" else b""
        has_alpha = "A" in image.mode or "transparency" in image.info
        image = image.convert("RGBA" if has_alpha else "RGB")
    image.thumbnail((largest, largest), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return ImageOps.exif_transpose(image), profile if len(profile) <= PROFILE_LIMIT_BYTES else b""


def draw_cut(file: BinaryIO, edges: dict[str, int], *, is_square: bool) -> Made:
    """Draw a picture in every size, from the middle of it where it is to be square. What is smaller than a size stays so.

    The colours are those of sRGB: a profile would be larger than the picture.
    """
    from PIL import Image, ImageOps

    opened = _open_image(file)
    if opened.width * opened.height > CUT_PIXEL_LIMIT:
        raise Refused("too_large")
    # A long picture is cut to its short side, which is to have the whole size.
    longest = max(edges.values()) * max(opened.size) // max(1, min(opened.size)) if is_square else max(edges.values())
    image, profile = _load_image(opened, longest)
    if profile:
        image = _to_srgb(image, profile)
    for name, edge in edges.items():
        if is_square:
            side = min(edge, *image.size)
            drawn = ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
        else:
            drawn = image.copy()
            drawn.thumbnail((edge, edge), Image.Resampling.LANCZOS)
        yield name, WEBP, _write_webp(drawn)


def _to_srgb(image: Any, profile: bytes) -> Any:
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode) or image
    except ImageCms.PyCMSError:
        return image  # it is no profile of this picture


def draw_mark(file: BinaryIO, text: str) -> Made:
    """Write a text all over a picture, dark with a light edge so that it stands out on everything, and slanted."""
    from PIL import Image, ImageDraw, ImageFont

    image = _open_image(file).convert("RGB")
    size = max(12, min(image.size) // 26)
    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(text, stroke_width=MARK_STROKE)
    width, height = int(right - left) + 2 * size, int(bottom - top) + 4 * size
    line = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    pen = ImageDraw.Draw(line)
    pen.text((size, size), text, font=font, fill=MARK_INK, stroke_width=MARK_STROKE, stroke_fill=MARK_EDGE)
    # Repeated on a square that covers the picture when it is turned, every other line shifted by half a text.
    side = int((image.width**2 + image.height**2) ** 0.5)
    layer = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    for row, y in enumerate(range(0, side, height)):
        for x in range(-(row % 2) * width // 2, side, width):
            layer.paste(line, (x, y))
    layer = layer.rotate(MARK_DEGREES, Image.Resampling.BILINEAR)
    x, y = (side - image.width) // 2, (side - image.height) // 2
    layer = layer.crop((x, y, x + image.width, y + image.height))
    image.paste(layer, (0, 0), layer)
    yield "marked", WEBP, _write_webp(image)


def _write_webp(image: Any, **facts: bytes) -> bytes:
    body = io.BytesIO()
    image.save(body, "WEBP", quality=QUALITY, method=1, exif=b"", xmp=b"", **{"icc_profile": b"", **facts})
    return body.getvalue()


def draw_sizes(image: Any, edges: dict[str, int], profile: bytes = b"") -> Made:
    """Draw a picture in each size, the largest first. A size that would be no larger than the next smaller one is left out."""
    from PIL import Image

    ordered = sorted(edges.items(), key=lambda each: -each[1])
    for index, (name, edge) in enumerate(ordered):
        smaller = ordered[index + 1][1] if index + 1 < len(ordered) else 0
        if max(image.size) <= smaller:
            continue
        image.thumbnail((edge, edge), Image.Resampling.LANCZOS)
        yield name, WEBP, _write_webp(image, icc_profile=profile)


def draw_page(file: BinaryIO, page: int, edges: dict[str, int]) -> tuple[int, Made]:
    """Draw a page of a PDF; returns how many it has, too. Its scripts, forms and links are left alone."""
    import pypdfium2  # type: ignore[import-untyped] # it has no types

    try:
        document = pypdfium2.PdfDocument(file.read())
    except pypdfium2.PdfiumError as error:
        raise Refused("encrypted" if "password" in str(error).lower() else "damaged") from error
    count = len(document)
    if not 1 <= page <= count:
        raise Refused("no_such_page" if count else "damaged")
    try:
        shown = document[page - 1]
        longest = max(shown.get_size())
        scale = max(edges.values()) / max(longest, 1.0)
        image = shown.render(scale=min(scale, 20.0), may_draw_forms=False).to_pil()
    except pypdfium2.PdfiumError as error:
        raise Refused("damaged") from error
    return count, draw_sizes(image.convert("RGB"), edges)


def read_text(file: BinaryIO) -> bytes:
    """Read a text in whatever encoding it is in; returns UTF-8. It may have been cut anywhere."""
    import codecs

    data = file.read()
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return codecs.getincrementaldecoder(encoding)("replace").decode(data).encode("utf-8", "replace")
    if b"\0" in data:
        raise Refused("damaged")
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    return text.encode()


def draw(task: dict[str, Any], file: BinaryIO) -> tuple[dict[str, Any], Sequence[bytes]]:
    """Carry out a task; returns what was made, and the number of pages, if it has any.

    :raises Refused: there is no preview of this.
    """
    count = None
    match task["kind"]:
        case "image":
            made = draw_image(file, task["edges"])
        case "pdf":
            count, made = draw_page(file, task["page"], task["edges"])
        case "cut":
            made = draw_cut(file, task["edges"], is_square=task["is_square"])
        case "mark":
            made = draw_mark(file, task["text"])
        case _:
            made = iter([(task["part"], "text/plain; charset=utf-8", read_text(file))])
    objects = list(made)
    return {"objects": [[name, kind] for name, kind, _ in objects], "page_count": count}, [body for *_, body in objects]


if __name__ == "__main__":
    confinement.serve(LAYERS, draw)
