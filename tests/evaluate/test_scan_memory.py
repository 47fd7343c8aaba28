"""The kernel's reader of files, under AddressSanitizer: no document makes it look outside of its
bytes."""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.data.kernel_library import FILE

FOLDER = FILE.parent
MAIN = r"""
/* Reads each file twice, exactly as long as its bytes: as a results list and as annotations. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
typedef struct {
    const uint8_t *text; int64_t length, room; int64_t *a, *b, *count; double *c, *d;
} Results;
typedef struct {
    const uint8_t *text; int64_t length, room;
    int64_t *i0, *i1, *i2, *i3, *i4, *a0, *a1, *a2;
    double *boxes, *areas; uint8_t *crowd; int64_t *found;
} Instances;
int read_results(Results *, int);
int read_instances(Instances *, int);
static int64_t *whole(int64_t n) { return malloc((size_t)n * 8); }
static double *real(int64_t n) { return malloc((size_t)n * 8); }
int main(int count, char **names) {
    for (int i = 1; i < count; i++) {
        FILE *file = fopen(names[i], "rb");
        fseek(file, 0, SEEK_END);
        long size = ftell(file);
        rewind(file);
        uint8_t *text = malloc(size ? (size_t)size : 1);
        if (fread(text, 1, (size_t)size, file) != (size_t)size) return 2;
        fclose(file);
        int64_t n = size / 48 + 2, *number = whole(4);
        for (int threads = 1; threads <= 2; threads++) {
            Results r = {text, size, n, whole(n), whole(n), number, real(4 * n), real(n)};
            int one = read_results(&r, threads);
            free(r.a), free(r.b), free(r.c), free(r.d);
            Instances s = {text, size, n,
                           whole(n), whole(n), whole(n), whole(n),
                           whole(n), whole(n), whole(n), whole(n),
                           real(4 * n), real(n), malloc((size_t)n), number};
            int two = read_instances(&s, threads);
            free(s.i0), free(s.i1), free(s.i2), free(s.i3), free(s.i4);
            free(s.a0), free(s.a1), free(s.a2);
            free(s.boxes), free(s.areas), free(s.crowd);
            printf("%d%d", one == 0, two == 0);
        }
        free(number), free(text);
    }
    return 0;
}
"""
RECORD = (
    '{"image_id": 12, "category_id": 3, "bbox": [1.5, 20.25, 3e1, 40], "score": '
    '0.987654321098765432, "x": {"a": [1, "é"]}}'
)
IMAGE = '{"id": 1, "file_name": "a.jpg", "width": 640, "height": null}'
BOX = (
    '{"id": 7, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4.5], "area": 1.5, "iscrowd": '
    '1, "segmentation": [[1.5, 2]]}'
)
TOKENS = [
    b'"',
    b"\\",
    b"\\u00",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"-",
    b"0",
    b"1e",
    b".",
    b"\xc3",
    b"\xf0\x9f",
    b"\xff",
    b"null",
    b" ",
]


def documents(count: int) -> list[bytes]:
    """Good ones, and ones that are cut short, have a byte changed, or something put in."""
    chance = random.Random(0)
    results = f"[{', '.join([RECORD] * 3)}]".encode()
    categories = '[{"id": 3, "name": "cat"}]'
    lists = f'"images": [{IMAGE}], "annotations": [{BOX}, {BOX}], "categories": {categories}'
    annotations = f"{{{lists}}}".encode()
    many = f"[{', '.join([RECORD] * 12_000)}]".encode()
    made = [
        results,
        annotations,
        many,
        many[:-1],
        many[: len(many) // 2],
        many.replace(b"40]", b"40}", 1),
        b"",
        b"[",
        b"{}",
        b"[{",
    ]
    for number in range(count):
        text = bytearray((results, annotations)[number % 2])
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(text))
            kind = chance.randrange(4)
            if kind == 0:
                text[at] = chance.randrange(256)
            elif kind == 1:
                text[at:at] = chance.choice(TOKENS)
            elif kind == 2:
                del text[at : at + chance.randint(1, 9)]
            else:
                del text[at:]
            text = text or bytearray(b"[")
        made.append(bytes(text))
    return made


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for AddressSanitizer of Linux compilers")
def test_no_document_makes_the_reader_look_outside_of_it(tmp_path: Path) -> None:
    compiler = os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if compiler is None:
        pytest.skip("there is no C compiler")
    (tmp_path / "main.c").write_text(MAIN)
    sources = [str(FOLDER / name) for name in ("json.c", "coco.c", "threads.c")]
    flags = [
        "-std=c11",
        "-O1",
        "-g",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
        "-pthread",
        "-DKERNEL_VERSION=1",
    ]
    command = [
        *compiler.split(),
        *flags,
        f"-I{FOLDER}",
        *sources,
        str(tmp_path / "main.c"),
        "-o",
        str(tmp_path / "read"),
        "-lm",
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode and "sanitize" in built.stderr + built.stdout:
        pytest.skip("the compiler has no AddressSanitizer")
    assert built.returncode == 0, built.stderr
    files = []
    for number, document in enumerate(documents(4000)):
        files.append(tmp_path / f"{number}.json")
        files[-1].write_bytes(document)
    for start in range(0, len(files), 1000):
        some = list(map(str, files[start : start + 1000]))
        done = subprocess.run(
            [str(tmp_path / "read"), *some], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        if not start:
            assert done.stdout.startswith(
                "1010" + "0101" + "1010" + "0000"
            )  # both good ones are read, and a cut one is not
