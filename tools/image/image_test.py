#!/usr/bin/env python3
"""The development image: the same bytes each time, complete, and marked. Ends with `N passed, N failed, N skipped`."""
import hashlib
import io
import json
import os
import pathlib
import shutil
import sys
import tarfile
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import build_image  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/bin/teetee-node"


def read_blob(folder: pathlib.Path, digest: str) -> bytes:
    return (folder / "blobs/sha256" / digest.removeprefix("sha256:")).read_bytes()


def snapshot(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != ".stamp.json"}


class ImageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="teetee-image-"))
        cls.program = cls.folder / "teetee-node"
        shutil.copy2(PROGRAM, cls.program)
        cls.digest = build_image.build(cls.program, cls.folder / "one")
        manifest = json.loads(read_blob(cls.folder / "one", cls.digest))
        cls.manifest = manifest
        cls.layer = read_blob(cls.folder / "one", manifest["layers"][0]["digest"])

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def test_a_missing_program_is_refused(self):
        with self.assertRaises(SystemExit):
            build_image.libraries(self.folder / "none")

    def test_twice_built_is_equal_whatever_the_times_and_the_place(self):
        other = self.folder / "elsewhere/teetee-node"
        other.parent.mkdir()
        shutil.copy(self.program, other)
        os.utime(other, (1, 1))
        self.assertEqual(build_image.build(other, self.folder / "two"), self.digest)
        self.assertEqual(snapshot(self.folder / "two"), snapshot(self.folder / "one"))

    def test_one_changed_byte_is_another_image(self):
        changed = self.folder / "changed"
        shutil.copy2(self.program, changed)
        with open(changed, "ab") as f:
            f.write(b"\0")
        self.assertNotEqual(build_image.build(changed, self.folder / "three"), self.digest)

    def test_a_stamp_of_other_inputs_is_not_believed(self):
        changed = self.folder / "rebuilt"
        shutil.copy2(self.program, changed)
        first = build_image.build(changed, self.folder / "four")
        self.assertEqual(build_image.build(changed, self.folder / "four"), first)
        with open(changed, "ab") as f:
            f.write(b"\0")
        self.assertNotEqual(build_image.build(changed, self.folder / "four"), first)

    def test_every_digest_is_that_of_its_blob(self):
        for path in (self.folder / "one/blobs/sha256").iterdir():
            self.assertEqual(hashlib.sha256(path.read_bytes()).hexdigest(), path.name)

    def test_it_holds_the_program_its_libraries_and_the_loader(self):
        with tarfile.open(fileobj=io.BytesIO(self.layer)) as tar:
            names = set(tar.getnames())
            self.assertEqual(tar.extractfile("teetee-node").read(), self.program.read_bytes())
            self.assertEqual({m.mtime for m in tar.getmembers()}, {0})
            self.assertEqual({(m.uid, m.gid) for m in tar.getmembers()}, {(0, 0)})
        for library in build_image.libraries(self.program):
            self.assertIn(str(library).lstrip("/"), names)
        self.assertTrue(any("ld-linux" in name for name in names), names)

    def test_it_says_that_it_is_for_development(self):
        config = json.loads(read_blob(self.folder / "one", self.manifest["config"]["digest"]))
        self.assertEqual(config["config"]["Labels"]["teetee.development"], "true")
        self.assertEqual(config["config"]["User"], "65532:65532")


if __name__ == "__main__":
    result = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.loadTestsFromTestCase(ImageTest))
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed, {len(result.skipped)} skipped")
    sys.exit(1 if failed else 0)
