"""Small sound files of each kind that is read, by reader, and the words that such files are made of."""

import gzip
import io
import json
import pathlib
import struct
import zipfile
import zlib

from program import semidual, train

CORPUS = pathlib.Path(__file__).parent / "corpus"


def idx(kind, sizes, numbers):
    return struct.pack(f">HBB{len(sizes)}I", 0, kind, len(sizes), *sizes) + numbers


def npy(dtype, shape, numbers, order="False", version=1):
    header = f"{{'descr': '{dtype}', 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + struct.pack("<BBH" if version == 1 else "<BBI", version, 0, len(header)) + header + numbers


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, member in members:
            archive.writestr(name, member)
    return content.getvalue()


def png(size, depth, kind, rows, *more, interlaced=0):
    """`more` are chunks before the pixels: a name and content each."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, interlaced)), *more,
              (b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(content)) + name + content +
                                            struct.pack(">I", zlib.crc32(name + content)) for name, content in chunks)


def bmp(size, bits, pixels, between=b"", header=40):
    sizes = struct.pack("<Iii" if header > 12 else "<IHH", header, *size) + struct.pack("<HH", 1, bits)
    sizes += bytes(header - len(sizes))
    start = 14 + header + len(between)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + sizes + between + pixels


def safetensors(header, numbers):
    text = json.dumps(header, separators=(",", ":")).encode()
    if b'"crc32":"00000000"' in text:
        text = text.replace(b'"00000000"', b'"%08x"' % zlib.crc32(numbers, zlib.crc32(text)))
    return struct.pack("<Q", len(text)) + text + numbers


def tensors(metadata):
    return safetensors({"__metadata__": {"iteration": "2", **metadata},
                        "a": {"dtype": "F32", "shape": [2, 1], "data_offsets": [8, 16]},
                        "b": {"dtype": "F64", "shape": [], "data_offsets": [0, 8]}}, bytes(range(16)))


def configs(root):
    """config.json of a run of images, of a table in clusters and of points that are scaled."""
    table = root / "points.csv"
    table.write_text("a,b,c\n" + "".join(f"{i},{i * i % 7}.5,{'xyz'[i % 3]}\n" for i in range(60)))
    for name, more in {"images": [], "table": ["--data", table, "--clusters", "2"],
                       "scaled": ["--data", table, "--scale", "whiten"]}.items():
        made = train(root / name, 2, *more)
        assert made.returncode == 0, made.stderr
        yield (root / name / "config.json").read_bytes()


def seeds(root):
    """-> {reader: files}; runs of the program that some come from lie in the folder then."""
    twelve, points = bytes(range(12)), npy("<f4", (3, 2), struct.pack("<6f", *range(6)))
    config = list(configs(root))
    picture = semidual("sample", root / "images", "--grid", "1x1", "--out", root / "one.png")
    assert picture.returncode == 0, picture.stderr
    metrics = b"iteration,loss,iteration_seconds"
    return {
        "idx": [idx(8, [2, 2, 3], twelve), gzip.compress(idx(8, [2, 2, 3], twelve)), idx(9, [12], twelve),
                idx(11, [3, 2], twelve), idx(12, [3], twelve), idx(13, [3, 1], twelve), idx(14, [1], bytes(8)),
                idx(8, [0, 5], b""), zipped(("x", idx(8, [12], twelve))), idx(10, [1], b"1")],
        "npy": [points, gzip.compress(points), zipped(("x.npy", points)), zipped(("x.npy", points), ("y.npy", points)),
                zipped(("x.npy", points), method=zipfile.ZIP_STORED), zipped(("x", points), method=zipfile.ZIP_BZIP2),
                zipped(), npy("<f8", (), bytes(8), version=2), npy(">i2", (3, 2), twelve, "True", 3),
                npy("|u1", (2, 3, 2), twelve, "True"), npy("<f2", (6,), twelve), npy(">f4", (3,), twelve),
                npy("|b1", "(12L,)", twelve), npy("|O", (1,), bytes(8)), npy("<c8", (1,), bytes(8)),
                points.replace(b"'<f4'", b"[('a', '<f4')]"), points.replace(b"'", b'"')],
        "image": [(root / "one.png").read_bytes(), png((3, 2), 8, 2, [twelve[:9]] * 2),
                  png((3, 2), 16, 6, [bytes(24)] * 2), png((9, 2), 1, 0, [b"\x55\x80"] * 2),
                  png((3, 1), 8, 4, [twelve[:6]], interlaced=1),
                  png((3, 2), 4, 3, [b"\1\2"] * 2, (b"PLTE", twelve[:9]), (b"tRNS", b"\0\x80")),
                  png((1, 2), 8, 0, [b"1"] * 2, (b"tRNS", b"\0\x31")),
                  b"P5 2 2 255 abcd", b"P6\n# two\n1 2\n255\nabcdef", b"P5 1 1 65535 ab",
                  bmp((1, 2), 24, twelve[:8]), bmp((2, -2), 8, twelve[:8], bytes(range(16))),
                  bmp((9, 1), 1, twelve[:4], bytes(8)), bmp((1, 2), 24, twelve[:8], header=12),
                  bmp((1, 2), 32, twelve[:8], header=124),
                  *(file.read_bytes() for file in sorted((CORPUS / "image").iterdir()))],
        "table": [(root / "points.csv").read_bytes(), b"a;b\n1;x\n2;y\n", b"1 2\n3 4\n", b'"a ""b""",c\r\n1,2\r\n',
                  b"\xef\xbb\xbfx\ty\n1\t2\n", b"cat\ndog\ncat\n", b",x\n0,7\n1,8\n", b"m,n\n1,NA\n", b"m;n\n1,5;1\n",
                  b"m\n1e400\n", b'a\n"b', b'a,b\n"c"d,e\n', b"a\n", b"m,n\n1,x\ny,2\n",
                  "caf\u00e9,1\nth\u00e9,2\n".encode(), b"\xff\xfea\0", b"a,b\n1\n", b"a\xff,1\n",
                  gzip.compress(b"a,b\n1,2\n"),
                  b"n,t\n" + b"".join(b"%d,t%d\n" % (i, i) for i in range(52))],
        "safetensors": [tensors({}), tensors({"crc32": "00000000"}), tensors({"crc32": "1"}), safetensors({}, b""),
                        safetensors({"a": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]}}, b"123"),
                        safetensors({"__metadata__": {"iteration": "1x"}}, b""),
                        struct.pack("<Q", 11) + b'{"a":1e999}', safetensors({
                            "__metadata__": {"iteration": "1"},
                            "a": {"dtype": "I64", "shape": [], "data_offsets": [0, 8]}}, bytes(8))],
        "config": config,
        "metrics": [(root / "images" / "metrics.csv").read_bytes(), metrics + b"\n0,1.5,0.25\n1,nan,1e-3\n",
                    metrics + b",estimates,coverage,recall,class_tv\n0,1.5,0.25,H,0.5,0.25,\n1,1,0.25,H,,,\n",
                    metrics + b",coverage\n0,1.5,0.25,1\n1\n"],
    }


MARKERS = (0, 192, 193, 194, 196, 208, 215, 216, 217, 218, 219, 221, 225, 238)  # of JPEG
NUMBERS = ["\\x00\\x00\\x00\\x00", "\\xff\\xff\\xff\\xff", "\\xff\\xff\\xff\\x7f", "\\x00\\x00\\x00\\x80"]
WORDS = {
    "idx": ["\\x1f\\x8b\\x08", "PK\\x03\\x04", *NUMBERS],
    "npy": ["\\x93NUMPY", "'descr'", "'fortran_order'", "'shape'", "True", "False", "<f4", ">f8", "|u1", "<i8",
            "(1,)", "()", "{", "}", "L", "PK\\x01\\x02", "PK\\x03\\x04", "PK\\x05\\x06", "\\x1f\\x8b\\x08",
            "999999999999999999", *NUMBERS],
    "image": ["IHDR", "IDAT", "IEND", "PLTE", "tRNS", "CgBI", "P5", "P6", "#", "255", "65535", "BM",
              "Exif\\x00\\x00", "II*\\x00", "MM\\x00*", "\\x12\\x01", "\\x01\\x12", "JFIF\\x00", "Adobe\\x00",
              *(f"\\xff\\x{marker:02x}" for marker in MARKERS), *NUMBERS],
    "table": ["NA", "?", "nan", "inf", "1e999", "-0", '\\"\\"', "\\x0d\\x0a", "\\x09", ";", ",", "\\xef\\xbb\\xbf",
              "\\xff\\xfe"],
    "safetensors": ['{\\"a\\":', '\\"dtype\\":\\"F32\\"', '\\"U8\\"', '\\"I64\\"', '\\"F64\\"', '\\"shape\\":[',
                    '\\"data_offsets\\":[0,', '\\"__metadata__\\":{', '\\"crc32\\":\\"', '\\"iteration\\":\\"',
                    "9223372036854775807", "1e99", "\\\\u0000", *NUMBERS],
    "config": ["null", "true", "[]", "{}", "-1", "1e999", "9223372036854775807", '\\"none\\"', '\\"own\\"',
               '\\"categories\\":[', '\\"whole\\":true', '\\"classes\\":['],
    "metrics": ["iteration,loss,iteration_seconds,estimates", ",", "\\x0a", "nan", "inf", "1e999", "-1",
                "9223372036854775807"],
}
