"""Media types: how one is written, and which one a file has when its sender names none.

A type is told from the last extension of a name alone, by one table that is the same on every machine: Python's own, with what people
keep in a vault and Python does not know. What compresses another file is a type of its own: ``notes.txt.gz`` is gzip, not text.
"""

import mimetypes
import re

from bitvault.kernel.errors import Invalid

ANY = "application/octet-stream"
"""Bytes of which nothing is known."""

LIMIT = 255
"""Characters of a type with its parameters: RFC 6838 §4.2 allows 127 for each half of the name."""

_CHARACTERS = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_NAME = re.compile(rf"({_CHARACTERS})/({_CHARACTERS})")
_PARAMETER = re.compile(rf'[ \t]*;[ \t]*(?:({_CHARACTERS})=({_CHARACTERS}|"(?:[\t !\x23-\x5b\x5d-\x7e]|\\[\t -~])*"))?')
_PLAIN_VALUE = re.compile(_CHARACTERS)

_OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_WORD, _SHEET, _SLIDES = f"{_OFFICE}.wordprocessingml", f"{_OFFICE}.spreadsheetml", f"{_OFFICE}.presentationml"

_OURS = {
    # documents
    "doc": "application/msword", "dot": "application/msword", "docx": f"{_WORD}.document", "dotx": f"{_WORD}.template",
    "docm": "application/vnd.ms-word.document.macroenabled.12", "dotm": "application/vnd.ms-word.template.macroenabled.12",
    "xls": "application/vnd.ms-excel", "xlsx": f"{_SHEET}.sheet", "xltx": f"{_SHEET}.template",
    "xlsm": "application/vnd.ms-excel.sheet.macroenabled.12", "xlsb": "application/vnd.ms-excel.sheet.binary.macroenabled.12",
    "ppt": "application/vnd.ms-powerpoint", "pptx": f"{_SLIDES}.presentation", "potx": f"{_SLIDES}.template",
    "ppsx": f"{_SLIDES}.slideshow", "pptm": "application/vnd.ms-powerpoint.presentation.macroenabled.12", "vsd": "application/vnd.visio",
    "vsdx": "application/vnd.ms-visio.drawing", "msg": "application/vnd.ms-outlook", "one": "application/onenote",
    "pub": "application/x-mspublisher", "mdb": "application/x-msaccess", "accdb": "application/x-msaccess",
    "odt": f"{_OPEN_DOCUMENT}.text", "ott": f"{_OPEN_DOCUMENT}.text-template", "ods": f"{_OPEN_DOCUMENT}.spreadsheet",
    "ots": f"{_OPEN_DOCUMENT}.spreadsheet-template", "odp": f"{_OPEN_DOCUMENT}.presentation",
    "otp": f"{_OPEN_DOCUMENT}.presentation-template", "odg": f"{_OPEN_DOCUMENT}.graphics", "odf": f"{_OPEN_DOCUMENT}.formula",
    "odb": "application/vnd.oasis.opendocument.base", "pages": "application/vnd.apple.pages", "numbers": "application/vnd.apple.numbers",
    "key": "application/vnd.apple.keynote", "epub": "application/epub+zip", "mobi": "application/x-mobipocket-ebook",
    "azw3": "application/vnd.amazon.ebook", "djvu": "image/vnd.djvu", "djv": "image/vnd.djvu", "rtf": "application/rtf",
    "tex": "application/x-tex", "bib": "text/x-bibtex", "xps": "application/vnd.ms-xpsdocument", "dwg": "image/vnd.dwg",
    "dxf": "image/vnd.dxf",
    # text
    "md": "text/markdown", "markdown": "text/markdown", "rst": "text/x-rst", "adoc": "text/x-asciidoc", "log": "text/plain",
    "ini": "text/plain", "cfg": "text/plain", "conf": "text/plain", "env": "text/plain", "properties": "text/plain", "nfo": "text/plain",
    "text": "text/plain", "diff": "text/x-diff", "patch": "text/x-diff", "yaml": "application/yaml", "yml": "application/yaml",
    "toml": "application/toml", "jsonl": "application/jsonl", "ndjson": "application/x-ndjson", "json5": "application/json5",
    "geojson": "application/geo+json", "jsonld": "application/ld+json", "ics": "text/calendar", "ifb": "text/calendar",
    "vcf": "text/vcard", "eml": "message/rfc822", "srt": "application/x-subrip", "vtt": "text/vtt", "sql": "application/sql",
    "sh": "application/x-sh", "bash": "application/x-sh", "rs": "text/x-rust", "go": "text/x-go", "java": "text/x-java",
    "kt": "text/x-kotlin", "rb": "text/x-ruby", "php": "application/x-httpd-php", "cpp": "text/x-c++", "hpp": "text/x-c++",
    "cc": "text/x-c++", "cs": "text/x-csharp", "swift": "text/x-swift", "lua": "text/x-lua", "tsx": "text/x-typescript",
    "jsx": "text/javascript", "vue": "text/x-vue", "scss": "text/x-scss", "less": "text/x-less", "ps1": "text/plain",
    "ipynb": "application/x-ipynb+json", "wasm": "application/wasm", "gpx": "application/gpx+xml",
    "kml": "application/vnd.google-earth.kml+xml", "kmz": "application/vnd.google-earth.kmz", "rss": "application/rss+xml",
    "atom": "application/atom+xml", "xhtml": "application/xhtml+xml", "xsl": "application/xslt+xml", "xslt": "application/xslt+xml",
    "webmanifest": "application/manifest+json",
    # pictures
    "webp": "image/webp", "avif": "image/avif", "heic": "image/heic", "heics": "image/heic-sequence", "heif": "image/heif",
    "jxl": "image/jxl", "jp2": "image/jp2", "apng": "image/apng", "jfif": "image/jpeg", "bmp": "image/bmp",
    "ico": "image/vnd.microsoft.icon", "svg": "image/svg+xml", "psd": "image/vnd.adobe.photoshop", "xcf": "image/x-xcf",
    "ai": "application/postscript", "eps": "application/postscript", "dng": "image/x-adobe-dng", "cr2": "image/x-canon-cr2",
    "cr3": "image/x-canon-cr3", "nef": "image/x-nikon-nef", "arw": "image/x-sony-arw", "orf": "image/x-olympus-orf",
    "raf": "image/x-fuji-raf", "rw2": "image/x-panasonic-rw2", "pic": "image/x-pict", "tga": "image/x-tga", "stl": "model/stl",
    "obj": "model/obj", "gltf": "model/gltf+json", "glb": "model/gltf-binary", "3mf": "model/3mf",
    # sound and film
    "mp3": "audio/mpeg", "m4a": "audio/mp4", "m4b": "audio/mp4", "aac": "audio/aac", "flac": "audio/flac", "ogg": "audio/ogg",
    "oga": "audio/ogg", "opus": "audio/ogg", "wav": "audio/wav", "wma": "audio/x-ms-wma", "mid": "audio/midi", "midi": "audio/midi",
    "weba": "audio/webm", "amr": "audio/amr", "mka": "audio/x-matroska", "m3u": "audio/x-mpegurl",
    "m3u8": "application/vnd.apple.mpegurl", "mp4": "video/mp4", "m4v": "video/mp4", "mkv": "video/x-matroska", "webm": "video/webm",
    "ogv": "video/ogg", "mov": "video/quicktime", "avi": "video/x-msvideo", "wmv": "video/x-ms-wmv", "flv": "video/x-flv",
    "3gp": "video/3gpp", "3g2": "video/3gpp2", "ts": "video/mp2t", "m2ts": "video/mp2t", "mts": "video/mp2t",
    # archives, and whatever compresses one other file
    "zip": "application/zip", "7z": "application/x-7z-compressed", "rar": "application/vnd.rar", "tar": "application/x-tar",
    "gz": "application/gzip", "tgz": "application/gzip", "taz": "application/gzip", "svgz": "application/gzip",
    "bz2": "application/x-bzip2", "tbz": "application/x-bzip2", "tbz2": "application/x-bzip2", "xz": "application/x-xz",
    "txz": "application/x-xz", "lzma": "application/x-lzma", "zst": "application/zstd", "tzst": "application/zstd",
    "lz4": "application/x-lz4", "br": "application/x-brotli", "z": "application/x-compress", "cab": "application/vnd.ms-cab-compressed",
    "iso": "application/x-iso9660-image", "dmg": "application/x-apple-diskimage", "jar": "application/java-archive",
    "apk": "application/vnd.android.package-archive", "deb": "application/vnd.debian.binary-package", "rpm": "application/x-rpm",
    "whl": "application/zip",
    # the rest
    "woff": "font/woff", "woff2": "font/woff2", "ttf": "font/ttf", "otf": "font/otf", "ttc": "font/collection",
    "parquet": "application/vnd.apache.parquet", "sqlite": "application/vnd.sqlite3", "sqlite3": "application/vnd.sqlite3",
    "pem": "application/x-pem-file", "crt": "application/x-x509-ca-cert", "cer": "application/pkix-cert", "p12": "application/x-pkcs12",
    "pfx": "application/x-pkcs12", "p7s": "application/pkcs7-signature", "p7m": "application/pkcs7-mime",
    "asc": "application/pgp-signature", "sig": "application/pgp-signature", "gpg": "application/pgp-encrypted",
    "torrent": "application/x-bittorrent", "exe": "application/vnd.microsoft.portable-executable", "msi": "application/x-msi",
    "bat": "application/x-bat", "drawio": "application/vnd.jgraph.mxfile", "ps": "application/postscript",
}  # fmt: skip

# The instance that is made here has read no file of the machine: those differ from place to place.
_TABLE = {
    extension.removeprefix("."): told for extension, told in mimetypes.MimeTypes().types_map[True].items()
} | _OURS

_TEXTS = frozenset({
    "authors", "changelog", "changes", "contributing", "copying", "dockerfile", "license", "licence", "makefile", "notice", "readme",
    "todo", ".editorconfig", ".env", ".gitattributes", ".gitignore",
})  # fmt: skip
"""Whole names, in lower case, of texts that have no extension."""


class InvalidMediaType(Invalid):
    """The text is no media type."""

    code = "request.invalid_media_type"
    title = "This is not a media type"


def parse(text: str) -> str:
    """Read a media type with its parameters (RFC 9110 §8.3.1) and write it in one form: ``text/plain; charset=utf-8``.

    Names are in lower case, and so is the value of ``charset``; other values are kept, quoted where they must be.

    :raises InvalidMediaType: it is none, is longer than 255 characters, or names a parameter twice.
    """
    text = text.strip(" \t")
    found = _NAME.match(text)
    if found is None or len(text) > LIMIT:
        raise InvalidMediaType
    parameters: dict[str, str] = {}
    end = found.end()
    while end < len(text):
        parameter = _PARAMETER.match(text, end)
        if parameter is None:
            raise InvalidMediaType
        end = parameter.end()
        name = (parameter[1] or "").lower()
        if name in parameters:
            raise InvalidMediaType("The parameter “%(parameter)s” comes twice.", parameter=name)
        if name:
            parameters[name] = parameter[2].lower() if name == "charset" else parameter[2]
    return "; ".join([found[0].lower(), *(f"{name}={_write_value(value)}" for name, value in parameters.items())])


def _write_value(value: str) -> str:
    """Write a value without quotes where it needs none; both forms mean the same."""
    bare = value[1:-1]
    return bare if value.startswith('"') and _PLAIN_VALUE.fullmatch(bare) else value


def guess(name: str) -> str:
    """Tell the type of a file from its name; ``application/octet-stream`` when that says nothing."""
    return _find(name) or ANY


def follow_rename(media_type: str, *, old_name: str, new_name: str) -> str:
    """Tell the type of a file that gets another name: told anew where the old name, or nothing, told it; else as it was.

    A name that says nothing changes nothing.
    """
    return _find(new_name) or media_type if media_type in (ANY, _find(old_name)) else media_type


def _find(name: str) -> str | None:
    lowered = name.lower()
    stem, dot, extension = lowered.rpartition(".")
    if stem and dot and extension in _TABLE:
        return _TABLE[extension]
    return "text/plain" if lowered in _TEXTS else None
