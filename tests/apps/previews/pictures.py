"""Files that are looked at: honest ones, and ones that were made to harm whoever opens them."""

import io
import struct
import zlib

from PIL import Image


def picture(kind="JPEG", size=(640, 480), colour=(200, 30, 30), **more):
    """Make a picture whose left half has the colour."""
    image = Image.new("RGB", size, (10, 200, 10))
    image.paste(colour, (0, 0, size[0] // 2, size[1]))
    body = io.BytesIO()
    if kind == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    image.save(body, kind, **more)
    return body.getvalue()


def photo_turned_by_its_camera():
    """A picture that lies on its side, says so, and tells where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010F] = "SECRETCAMERA"
    return picture(exif=exif)


def pdf(pages=3):
    """A document of blank pages of different colours."""
    images = [Image.new("RGB", (300, 400), (number * 60 % 255, 100, 100)) for number in range(pages)]
    body = io.BytesIO()
    images[0].save(body, "PDF", save_all=True, append_images=images[1:])
    return body.getvalue()


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb(side=30_000):
    """A PNG of a few hundred kilobytes whose pixels take gigabytes."""
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + side * 3)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def lying_png():
    """A PNG that says it is small and unpacks to hundreds of megabytes."""
    packed = zlib.compress(b"\0" * 300_000_000, 9)
    head = struct.pack(">IIBBBBB", 10, 10, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def endless_pdf():
    """A page whose form draws itself again and again, twice on each level: 2^40 times."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 600] /Contents 4 0 R /Resources << /XObject << /F 5 0 R >> >> >>",
        b"<< /Length 4 >>\nstream\n/F Do\nendstream",
    ]
    levels = 40
    for level in range(levels):
        draw = b"/F Do /F Do" if level < levels - 1 else b"0 0 600 600 re f"
        follows = b"/Resources << /XObject << /F %d 0 R >> >>" % (6 + level) if level < levels - 1 else b""
        objects.append(
            b"<< /Type /XObject /Subtype /Form /BBox [0 0 600 600] %s /Length %d >>\nstream\n%s\nendstream"
            % (follows, len(draw), draw)
        )
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, text in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start)
    return bytes(out)
