#!/usr/bin/env python3
"""make_wheel.py LIBRARY FOLDER: packs the package `semidual` and the library into a wheel in the folder, without any tool
but Python itself."""
import base64
import hashlib
import platform
import re
import sys
import zipfile
from pathlib import Path


def main() -> None:
    library, folder = Path(sys.argv[1]), Path(sys.argv[2])
    here = Path(__file__).resolve().parent
    version = re.search(r'version = "([^"]+)"', (here.parent / "version.h").read_text()).group(1)
    tag = f"py3-none-linux_{platform.machine()}"
    info = f"semidual-{version}.dist-info"
    package = here / "semidual"
    files = {f"semidual/{file.name}": file.read_bytes() for file in sorted([*package.glob("*.py"), package / "py.typed"])}
    files["semidual/libsemidual.so"] = library.read_bytes()
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: semidual\nVersion: {version}\nLicense: MIT\nRequires-Python: >=3.9\n"
        "Requires-Dist: numpy\nSummary: Semi-discrete optimal transport, and generators learned by it, on CPUs\n"
    ).encode()
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: semidual\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    record = ""
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(content)}\n"
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"semidual-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    print(wheel)


if __name__ == "__main__":
    main()
